# The totals once more, by another way: all files through one wc, not batch by batch.
list_files
sort_by_kind <"$tmp/list"
echo "files $(cat "$tmp/regular" "$tmp/odd" | tr -cd '\0' | wc -c | tr -d ' ')"
cat "$tmp/regular" "$tmp/odd" | xargs -0 sh -c '[ $# -eq 0 ] || cat "$@"' sh | wc -lc | {
  read -r lines bytes
  echo "lines $lines"
  echo "bytes $bytes"
}
