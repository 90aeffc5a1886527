# Runs all tests. Ends with 1 if one of them failed.

cd "$(dirname "$0")/.." || exit 1
failed=0
for file in tests/*_test.sh; do
    if sh "$file"; then
        echo "ok    $file"
    else
        echo "FAIL  $file"
        failed=$((failed + 1))
    fi
done
echo "$failed failed"
[ "$failed" -eq 0 ]
