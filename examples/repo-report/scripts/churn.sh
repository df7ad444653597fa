# What changed most in the newest commits. On stdin: how many commits to look at. People are counted, never named.
read -r limit || : # stdin may end without a line feed
if [ "$source" != git ] || ! git rev-parse --quiet --verify HEAD >/dev/null; then
  echo "commits 0"
  exit 0
fi

# Without -z git quotes odd names and keeps each on a line of its own.
git log -n "$limit" --no-renames --no-ext-diff --no-textconv --no-show-signature --numstat \
  --format='commit%x09%ct%x09%aN <%aE>' >"$tmp/log"
awk -F '\t' '
  $1 == "commit" {
    commits++
    if (!($3 in seen)) { seen[$3] = 1; authors++ }
    if (first == "" || $2 < first) first = $2
    if ($2 > last) last = $2
    next
  }
  NF >= 3 { n[$3]++; added[$3] += $1; deleted[$3] += $2 } # a binary file has "-" for both, which adds nothing
  END {
    printf "commits %d\nauthors %d\nfirst %d\nlast %d\n", commits, authors, first, last
    for (path in n) printf "%d\t%.0f\t%.0f\t%s\n", n[path], added[path], deleted[path], path >"'"$tmp"'/files"
  }' "$tmp/log"
[ ! -f "$tmp/files" ] || sort -t "$(printf '\t')" -k 1,1nr -k 2,2nr -k 3,3nr -k 4 "$tmp/files" | head -n 20 | sed 's/^/file	/'
