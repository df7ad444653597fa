# How many files there are, and a checksum of their names by which the later tasks know that they see the same ones.
list_files
echo "source $source"
echo "files $(count list)"
echo "checksum $(checksum_of_list)"
echo "unlisted $(wc -l <"$tmp/unlisted" | tr -d ' ')"
