#!/usr/bin/env bash
# One training step of each network beside PyTorch's, on one thread, taken in turns: what is printed are medians of the rounds, and the median of the rounds' ratios.
#   peers.sh DIRECTORY [--rounds N] [--seconds S] [model...]
# DIRECTORY holds `step THREADS [cl] MODEL`, which prints "… N img/s" for PyTorch; cl is its channels_last layout, and the better of the two counts.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
peers=$1; shift
rounds=3 seconds=6 models=()
while (($#)); do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    *) models+=("$1"); shift ;;
  esac
done
((${#models[@]})) || models=(lenet5 resnet20 googlenet resnet18 alexnet vgg16)
declare -A batch=([lenet5]=128 [resnet20]=64 [googlenet]=8 [resnet18]=8 [alexnet]=16 [vgg16]=2)
declare -A goal=([lenet5]="2.5 / 4" [resnet20]="1.2 / 1.5" [googlenet]="1.4 / 1.8" [resnet18]="1.1 / 1.4" [alexnet]="1.05 / 1.15" [vgg16]="1.05 / 1.4")

convnet() { dotnet "$root/src/ConvNet.Cli/bin/Release/net10.0/convnet.dll" "$@"; }
field() { grep -o "\"$1\":[0-9.eE+-]*" | cut -d: -f2; }
median() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
torch() { "$peers/step" 1 "$@" | grep -oE '[0-9.]+ img/s' | cut -d' ' -f1; }

dotnet build -c Release -v quiet "$root/src/ConvNet.Cli" >/dev/null
echo "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), family $(grep -m1 'cpu family' /proc/cpuinfo | cut -d: -f2), $(nproc) cores, load before: $(cut -d' ' -f1 /proc/loadavg)"
echo
echo "| training step | batch | ours, images/s | share of the peak | PyTorch NCHW / channels_last | ratio (each round) | goal: at least / reach for |"
echo "|---|---|---|---|---|---|---|"
for model in "${models[@]}"; do
  peer=${model/lenet5/lenet} ours=() shares=() plain=() last=() ratios=()
  for ((round = 0; round < rounds; round++)); do
    result=$(convnet bench --model "$model" --lanes 1 --batch "${batch[$model]}" --seconds "$seconds" --json 2>/dev/null)
    ours+=("$(field imagesPerSecond <<<"$result")") shares+=("$(field shareOfPeak <<<"$result")")
    plain+=("$(torch "$peer")") last+=("$(torch cl "$peer")")
    ratios+=("$(awk -v a="${ours[-1]}" -v b="${plain[-1]}" -v c="${last[-1]}" 'BEGIN { printf "%.2f", a / (b > c ? b : c) }')")
  done
  printf '| %s | %d | %.1f | %.0f %% | %.1f / %.1f | **%.2f** (%s) | %s |\n' "$model" "${batch[$model]}" \
    "$(printf '%s\n' "${ours[@]}" | median)" "$(printf '%s\n' "${shares[@]}" | median | awk '{ print 100 * $1 }')" \
    "$(printf '%s\n' "${plain[@]}" | median)" "$(printf '%s\n' "${last[@]}" | median)" "$(printf '%s\n' "${ratios[@]}" | median)" "$(IFS=,; echo "${ratios[*]}" | sed 's/,/, /g')" "${goal[$model]}"
done
