#!/bin/sh
# Makes a home with one repository and fifty open pull requests that wait for a review. usage: fifty_pulls.sh BANKSMAN FOLDER
# Prints {"home": ..., "pulls": 50}.
set -eu
program=$1
folder=$2
repo=$folder/fifty
home=$folder/home
mkdir -p "$repo"
git="git -C $repo -c user.name=a -c user.email=a@localhost"
{
  $git init -q -b main
  echo begin > "$repo/begin.txt"
  $git add .
  $git commit -q -m Begin
  "$program" --home "$home" repos add "$repo" --engine shell --check 'test=true' --required-approvals 1 --allow measurer
  n=0
  while [ $n -lt 50 ]; do
    n=$((n + 1))
    $git switch -q -c "work/$n" main
    echo "$n" > "$repo/file-$n.txt"
    $git add .
    $git commit -q -m "Change $n"
    "$program" --home "$home" forge --as measurer pull create --head "work/$n" --base main --title "Change $n"
  done
  $git switch -q main
} >&2
printf '{"home": "%s", "pulls": %s}\n' "$home" "$n"
