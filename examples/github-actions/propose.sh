#!/bin/sh
# propose.sh LOCK BODY: commits LOCK on the branch renew-lock, pushes that to origin, and opens a pull request whose text is
# the file BODY; one that is open already gets the new commit and the new text. Git does all but the last command, which
# is GitHub's.
set -eu
usage="usage: $0 LOCK BODY"
lock=${1:?"$usage"} body=${2:?"$usage"}
branch=renew-lock title='Newest packages'

git switch --quiet --force-create "$branch"
git commit --quiet --message "$title" -- "$lock"
git push --quiet --force origin "$branch"
gh pr create --title "$title" --body-file "$body" --head "$branch" || gh pr edit "$branch" --body-file "$body"
