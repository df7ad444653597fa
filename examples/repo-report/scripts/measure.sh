# Measures one batch. On stdin: "<checksum of the list> <first file, from 0> <number of files>".
read -r checksum from length || : # stdin may end without a line feed
list_files
if [ "$(checksum_of_list)" != "$checksum" ]; then
  echo "files were added to or removed from the directory while it was being measured; run the goal again" >&2
  exit 1
fi

# Swapping NUL and line feed lets tail and head count names.
tr '\n\0' '\0\n' <"$tmp/list" | tail -n "+$((from + 1))" | head -n "$length" | tr '\n\0' '\0\n' | sort_by_kind

# Binary is what grep takes for binary: a NUL byte near the beginning. -L names the empty ones too; they count as text.
: >"$tmp/not-text"
: >"$tmp/counts"
if [ -s "$tmp/regular" ]; then
  xargs -0 grep -LI '' <"$tmp/regular" >"$tmp/not-text" || :
  xargs -0 wc -lc <"$tmp/regular" >"$tmp/counts"
fi
# wc tells its files apart by line, so those with a line break in their name are given to it one by one.
xargs -0 sh -c '
  for file; do
    name=$(printf "%s" "$file" | tr "\n" "?")
    grep -qI "" "$file" || printf "%s\n" "$name" >>"$0/not-text"
    printf "%s %s\n" "$(wc -lc <"$file")" "$name" >>"$0/counts"
  done' "$tmp" <"$tmp/odd"

awk '
  # The name decides the language: its extension in lower case, or the whole name if it has none.
  function key_of(path,   base, key) {
    base = path
    sub(/.*\//, "", base)
    key = base
    if (match(base, /.\.[^.]+$/)) key = tolower(substr(base, RSTART + 2))
    return length(key) <= 40 && key ~ /^[A-Za-z0-9._+#-]+$/ ? key : "other"
  }
  FILENAME == ARGV[1] { not_text[$0] = 1; next }
  {
    lines = $1; bytes = $2
    path = $0
    sub(/^ *[0-9]+ +[0-9]+ +/, "", path)
    if (path !~ /^\.\//) next # the total that wc adds
    key = (path in not_text) && bytes > 0 ? "binary" : "text " key_of(path)
    files_of[key]++; lines_of[key] += lines; bytes_of[key] += bytes
  }
  END { for (key in files_of) printf "%d %.0f %.0f %s\n", files_of[key], lines_of[key], bytes_of[key], key }
' "$tmp/not-text" "$tmp/counts" | sort

for kind in symlinks absent unreadable; do echo "$(count $kind) 0 0 $kind"; done
