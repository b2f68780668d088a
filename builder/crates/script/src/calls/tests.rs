//! Which commands of a script are calls, and of what.

use super::*;

fn names(text: &str) -> Vec<String> {
    let calls = Calls::of(text).expect("a script");
    calls.calls.into_iter().map(|call| format!("{}:{}", call.line, call.name)).collect()
}

#[test]
fn commands_are_found_wherever_they_may_stand() {
    let text = "a=$(one | two)\nif ! three; then four & else five; fi <$(six)\n\
                for x in \"$(seven)\"; do eight || { nine; }; done\nwhile ten; do (eleven); done\n\
                case $(twelve) in $(thirteen)) fourteen ;; esac\nf() { fifteen; }\n\
                b=${c:-$(sixteen)} seventeen \"`eighteen`\"\ncat <<END\n$(nineteen)\nEND\n\
                [[ -n $(twenty) ]] && echo $(($(twentyone) + 1))\n";
    let found: Vec<String> =
        names(text).iter().filter_map(|n| Some(n.split_once(':')?.1.into())).collect();
    let expected = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
                    sixteen seventeen eighteen nineteen twenty twentyone cat";
    let of = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let builtin = |name: &String| !is_builtin(name, false);
    assert_eq!(
        of(found.into_iter().filter(builtin).collect()),
        of(expected.split_whitespace().map(str::to_owned).collect())
    );
}

#[test]
fn names_that_are_made_while_it_runs_are_left_out() {
    assert_eq!(
        names("$program x\n\"ip${n}tables\" -L\neval \"$text\"\n'p'\"q\" y\n"),
        ["3:eval", "4:pq"]
    );
}

#[test]
fn what_starts_another_program_calls_both() {
    let text = "exec one -x\ncommand two\nnice -n 5 three\ntimeout -k 3 10 four a\nenv A=b -u C five\n\
                xargs -0 -n 1 six\n/bin/busybox mount -t x\nnohup\ntrap 'seven; exit' TERM\ntrap - TERM\n";
    let calls = Calls::of(text).expect("a script");
    let found: Vec<(usize, &str, bool)> =
        calls.calls.iter().map(|call| (call.line, call.name.as_str(), call.applet)).collect();
    assert_eq!(
        found,
        [
            (1, "one", false),
            (2, "two", false),
            (3, "nice", false),
            (3, "three", false),
            (4, "timeout", false),
            (4, "four", false),
            (5, "env", false),
            (5, "five", false),
            (6, "xargs", false),
            (6, "six", false),
            (7, "/bin/busybox", false),
            (7, "mount", true),
            (8, "nohup", false),
            (9, "seven", false),
            (9, "exit", false),
        ]
    );
}

#[test]
fn what_a_script_asks_for_is_noted() {
    let calls = Calls::of(
        "command -v one && one\nif type two >/dev/null; then :; fi\n[ ! -x /sbin/three ] || /sbin/three\n\
         [ -f /etc/four -a -n \"$x\" ] && . /etc/four\n[[ -e /etc/five ]]\nwhich six\n",
    )
    .expect("a script");
    let asked: Vec<&str> = calls.asked.iter().map(String::as_str).collect();
    assert_eq!(asked, ["/etc/five", "/etc/four", "/sbin/three", "one", "six", "two"]);
}

#[test]
fn files_that_are_read_in_are_known_where_their_path_is() {
    let of = |text| {
        let calls = Calls::of(text).expect("a script");
        let sources = calls.sources.into_iter().map(|source| source.path).collect::<Vec<_>>();
        (sources, calls.open)
    };
    let path = || vec!["/lib/functions.sh".to_owned()];
    assert_eq!(of(". /lib/functions.sh"), (path(), false));
    assert_eq!(of("source \"$ROOT/lib/functions.sh\""), (path(), false));
    assert_eq!(of(". ${ROOT:-}/lib/functions.sh"), (path(), false));
    let certain = |text| Calls::of(text).expect("a script").sources[0].certain;
    assert!(certain(". /lib/x") && !certain(". $ROOT/lib/x"));
    assert_eq!(of(". \"$script\""), (Vec::new(), true));
    assert_eq!(of(". \"$folder/$name\""), (Vec::new(), true));
    assert_eq!(of(". ./here"), (Vec::new(), true));
}

#[test]
fn functions_aliases_and_search_paths_are_known() {
    let text = "one() { :; }\nfunction two { :; }\nalias three='ls -l' four=x\n\
                PATH=/opt/bin:$PATH\nexport PATH=/usr/local/bin:/bin\n";
    let calls = Calls::of(text).expect("a script");
    let of = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>();
    assert_eq!(of(calls.functions), ["four", "one", "three", "two"]);
    assert_eq!(of(calls.folders), ["/bin", "/opt/bin", "/usr/local/bin"]);
}

#[test]
fn a_search_path_that_is_made_while_it_runs_leaves_everything_open() {
    let open = |text| Calls::of(text).expect("a script").open;
    assert!(open("PATH=$folder:$PATH\n") && open("export PATH=\"$(find):$PATH\"\n"));
    assert!(!open("PATH=/opt/bin:\"$PATH\"\n"));
}

#[test]
fn a_text_that_is_no_script_is_refused_with_its_line() {
    let error = Calls::of("true\nif true; then\n").expect_err("no end");
    assert!(error.line >= 2, "{error}");
    assert!(Calls::of(&"a\n".repeat(SIZE_LIMIT)).is_err());
}
