//! The language: expansions, conditions, loops, functions, redirections, `set -e`.

use crate::{debian, root, said};

#[test]
fn parameters_in_all_forms() {
    let text = r#"
x=/usr/share/doc; unset y; e=
echo "${x##*/} ${x#*/} ${x%/*} ${x%%/*}| ${y:-no} ${y-none} ${e:-empty} ${e-set} ${x:+yes} ${#x}"
echo "${z:=new} $z ${1} ${2:-nothing} $# ${e:+no}"
"#;
    let expected = "doc usr/share/doc /usr/share | no none empty  yes 14\n\
        new new configure nothing 2 \n";
    assert_eq!(said(text), expected);
}

#[test]
fn words_are_split_outside_of_quotes_only() {
    let text = r#"
count() { echo $#; }
list="a b  c"; count $list "$list" '' ; count $nothing; count "$@"; set -- "x y" z; count "$@" $*
IFS=:; path=a::b; set -- $path; echo "$#-$2-$3"
"#;
    assert_eq!(said(text), "5\n0\n2\n5\n3--b\n");
}

#[test]
fn arithmetic_and_tests() {
    let text = r#"
n=7; echo $((n * (2 + 1) % 5)) $((n > 3 && n != 8)) $((0x10 + 010)) $((n += 1)) $n
if [ "$n" -eq 8 ] && [ ! -e /missing -a -n "$n" ] || false; then echo yes; fi
[ a = b ] || echo differs; test -f /etc/passwd && echo file; [ -d /etc ] && echo directory
[ \( a = a \) -a \( b != b -o c = c \) ] && echo grouped
"#;
    assert_eq!(said(text), "1 1 24 8 8\nyes\ndiffers\nfile\ndirectory\ngrouped\n");
}

#[test]
fn loops_cases_and_functions() {
    let text = r#"
for n in 1 2 3 4; do
  case "$n" in 2) continue ;; [45]) break ;; *) echo "n$n" ;; esac
done
n=0; while [ $n -lt 3 ]; do n=$((n + 1)); done; echo $n
f() { local n=inner; echo "$n $1"; return 3; }
f arg || echo "status $? $n"
until [ "$n" = 0 ]; do n=$((n - 1)); done; echo "$n"
"#;
    assert_eq!(said(text), "n1\nn3\n3\ninner arg\nstatus 3 3\n0\n");
}

#[test]
fn failures_end_the_script_only_where_nobody_looks() {
    assert_eq!(
        said("set -e\nfalse || true\nif false; then :; fi\n! true\nfalse && x\necho on\n"),
        "on\n"
    );
    let error = debian("set -e\nfalse\necho on\n", &mut root()).expect_err("it fails");
    assert_eq!(error.line, 2);
    let error = debian("set -e\nf() { false; echo on; }\nf\n", &mut root()).expect_err("it fails");
    assert!(error.to_string().contains("status 1"), "{error}");
    let error = debian("set -u\necho \"$unset\"\n", &mut root()).expect_err("it fails");
    assert!(error.to_string().contains("parameter not set"), "{error}");
}

#[test]
fn text_goes_through_pipes_documents_and_files() {
    let text = "
printf 'b 1\\na 2\\n' | sort | while read -r name n; do echo \"$name=$n\"; done
cat > /tmp/x <<EOF
home: $HOME $((1 + 1)) \\$kept
EOF
cat <<-'EOF' >> /tmp/x
\t\ttabs gone $HOME
\tEOF
sed -n -e 's/^home: \\(.*\\)$/<\\1>/p' /tmp/x
grep -q gone /tmp/x && wc -l < /tmp/x
value=$(cut -d: -f1 /etc/passwd | head -n1); echo \"$value\" >&2
echo lost > /dev/null 2>&1
";
    let mut files = root();
    let done = debian(text, &mut files).expect("understood");
    assert_eq!(done.said, "a=2\nb=1\n</root 2 $kept>\n2\nroot\n");
    let text = "home: /root 2 $kept\ntabs gone $HOME\n";
    assert_eq!(files.text("/tmp/x").as_deref(), Some(text));
}

#[test]
fn subshells_keep_their_changes_to_themselves() {
    assert_eq!(said("x=1; (x=2; cd /etc; exit 4) || echo \"$? $x $(pwd)\"\n"), "4 1 /\n");
    assert_eq!(said("x=1; echo y | { read x; echo $x; }; echo $x\n"), "y\n1\n");
}

#[test]
fn names_of_files_are_matched() {
    let text = "cd /etc; for f in pass* /etc/gr?up *.none; do echo $f; done; set -f; echo /etc/*\n";
    assert_eq!(said(text), "passwd\n/etc/group\n*.none\n/etc/*\n");
}

#[test]
fn bash_has_its_double_brackets_and_more() {
    let text = "#!/bin/bash\nx=linux-image\nif [[ $x == linux-* && ! -e /none ]]; then echo \"${x/-/ } ${x:6:2} ${x^^}\"; fi\n";
    assert_eq!(said(text), "linux image im LINUX-IMAGE\n");
}

#[test]
fn echo_is_the_one_of_the_scripts_shell() {
    assert_eq!(said("echo 'a\\tb'\n"), "a\tb\n");
    assert_eq!(said("#!/bin/bash\necho 'a\\tb'; echo -e 'a\\tb'\n"), "a\\tb\na\tb\n");
}
