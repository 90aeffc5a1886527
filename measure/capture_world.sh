#!/bin/sh
# Makes a home with one repository and so many open pull requests in different states: drafts, conflicts, reviews and, if wanted, threads.
# usage: capture_world.sh BANKSMAN FOLDER COUNT [threads]       prints {"home": ..., "repo": ..., "pulls": N}
set -eu
program=$1
folder=$2
count=$3
threads=${4:-}
repo=$folder/shop
home=$folder/home
mkdir -p "$repo"
git="git -C $repo -c user.name=a -c user.email=a@localhost"
{
  $git init -q -b main
  echo begin > "$repo/begin.txt"
  $git add .
  $git commit -q -m Begin
  "$program" --home "$home" repos add "$repo" --engine shell --check 'test=true' --required-approvals 1 --allow measurer --allow ann
  n=0
  while [ $n -lt "$count" ]; do
    n=$((n + 1))
    $git switch -q -c "work/$n" main
    echo "$n" > "$repo/file-$n.txt"
    [ $((n % 10)) -ne 3 ] || echo "$n" > "$repo/begin.txt"
    $git add .
    $git commit -q -m "Change $n"
    "$program" --home "$home" forge --as measurer pull create --head "work/$n" --base main --title "Change $n"
  done
  $git switch -q main
  # What changed the same line conflicts now.
  echo other > "$repo/begin.txt"
  $git commit -q -am 'Another begin'
  forge="$program --home $home forge"
  n=0
  while [ $n -lt "$count" ]; do
    n=$((n + 1))
    case $((n % 10)) in
      1) $forge --as measurer pull draft "$n" ;;
      2) $forge --as ann pull review "$n" approve --body fine ;;
      # A request for changes is a thread too.
      4) [ -z "$threads" ] || $forge --as ann pull review "$n" changes --body no ;;
      5) [ -z "$threads" ] || $forge --as ann pull review "$n" comment --body hm --thread "file-$n.txt:1=why" --thread "file-$n.txt:1=how" ;;
    esac
  done
} >&2
printf '{"home": "%s", "repo": "%s", "pulls": %s}\n' "$home" "$repo" "$count"
