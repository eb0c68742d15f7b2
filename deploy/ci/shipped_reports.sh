#!/bin/sh
# The gate's true reports for the embedded baseline, whatever their verdict.
#   shipped_reports.sh record   judge every shipped policy and write policies/reports/
#   shipped_reports.sh check    fail when a verdict is no longer what its report says
# Needs no GPU and no network: the baseline is recorded anew each time, in seconds.
set -eu
cd "$(dirname "$0")/../.."
mode=${1:?record or check}
bench=${RADSAFE_BENCH:-radsafe-bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bench" run --backend extractive --conditions clean_evidence,standard_rag --samples 0 --aa \
    --out "$work/extractive"
mkdir -p policies/reports
for policy in default strict reading; do
    report="policies/reports/$policy.extractive"
    judge() { "$bench" gate --policy "policies/$policy.yaml" --run "$work/extractive" "$@"; }
    case $mode in
    record)
        status=0
        judge --out "$work/$policy" || status=$?
        [ "$status" -lt 3 ] || exit "$status"
        cp "$work/$policy/verdict.json" "$report.json"
        cp "$work/$policy/report.md" "$report.md"
        ;;
    check)
        # The reader's 8-bit products round differently on other processors, so its report is not compared.
        [ "$policy" = reading ] || judge --check "$report.json"
        ;;
    *) echo "$mode: record or check" >&2 && exit 3 ;;
    esac
done
