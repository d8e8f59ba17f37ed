# note.sh WORDS: adds a line to the notes.
echo "$*" >>"${0%/*}/notes"
