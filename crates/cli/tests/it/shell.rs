//! `ordermill shell`: at a terminal, and with its lines piped in.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::{Ran, Shop, finish, wait_until};

/// A shell at a terminal of its own.
struct Terminal {
    master: File,
    screen: Arc<Mutex<String>>,
    shell: Child,
}

impl Terminal {
    fn open(shop: &Shop) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = File::options().read(true).write(true).open(name).unwrap();
        let size = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).unwrap();
        let mut command = shop.command(&["shell"]);
        command.env("HOME", shop.path("")).env("TERM", "xterm").env("NO_COLOR", "1");
        let end = || slave.try_clone().unwrap();
        let shell = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let (master, screen) = (File::from(master), Arc::new(Mutex::new(String::new())));
        let (mut from, written) = (master.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // It fails once nobody holds the other end.
            while let Ok(length @ 1..) = from.read(&mut piece) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        });
        Terminal { master, screen, shell }
    }

    fn type_in(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is on the screen, and clears the screen up to there.
    fn expect(&mut self, text: &str) {
        wait_until(&format!("{text:?} is on the screen"), || {
            let is_running = self.shell.try_wait().unwrap().is_none();
            let screen = self.screen.lock().unwrap();
            assert!(is_running || screen.contains(text), "the shell ended: {screen}");
            screen.contains(text)
        });
        let mut screen = self.screen.lock().unwrap();
        let end = screen.find(text).expect("it was just there") + text.len();
        screen.drain(..end);
    }

    fn end(mut self) -> Option<i32> {
        wait_until("the shell ends", || self.shell.try_wait().unwrap().is_some());
        self.shell.wait().unwrap().code()
    }
}

#[test]
fn a_shell_at_a_terminal_completes_runs_remembers_and_goes_on_after_errors() {
    let shop = Shop::new();
    let mut terminal = Terminal::open(&shop);
    terminal.expect("ordermill> ");
    terminal.type_in("sto\tli\t\r");
    terminal.expect("there are no products");
    terminal.expect("ordermill> ");
    terminal.type_in("stock receive TEA-1 5 --name 'A teapot' --price 19.99\r");
    terminal.expect("ordermill> ");
    terminal.type_in("orders show 99\r");
    terminal.expect("there is no order 99");
    terminal.expect("ordermill> ");
    terminal.type_in("nonsense\r");
    terminal.expect("unrecognized subcommand");
    terminal.expect("ordermill> ");
    terminal.type_in("orders list\u{3}");
    terminal.expect("ordermill> ");
    terminal.type_in("stock list\r");
    terminal.expect("A teapot");
    terminal.expect("ordermill> ");
    terminal.type_in("\u{4}");
    assert_eq!(terminal.end(), Some(0));

    let history = shop.path(".ordermill_history");
    let mode = std::fs::metadata(&history).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "it is its owner's alone");
    let mut terminal = Terminal::open(&shop);
    terminal.expect("ordermill> ");
    terminal.type_in("\u{1b}[A");
    terminal.expect("stock list");
    terminal.type_in("\r");
    terminal.expect("A teapot");
    terminal.expect("ordermill> ");
    terminal.type_in("exit\r");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_shell_takes_lines_that_are_piped_in_and_ends_as_the_gravest_of_them() {
    let shop = Shop::new();
    let lines = "stock receive TEA-1 5 --name 'A teapot' --price 19.99\norders show 99\norders 'show\nshell\nstock list\n\
                 exit\nmigrate\n";
    let ran = piped(&shop, lines);
    assert_eq!(ran.code(), Some(1), "{ran}");
    for wrong in ["there is no order 99", "a quote is not closed", "this is the shell"] {
        assert!(ran.stderr.contains(wrong), "{ran}");
    }
    assert!(ran.stdout.contains("\"A teapot\"") && !ran.stdout.contains("ordermill> "), "{ran}");
    assert!(!shop.path(".ordermill_history").exists());
    let ran = piped(&shop, "# nothing is wrong here\nstock list\n");
    assert_eq!(ran.code(), Some(0), "{ran}");
}

fn piped(shop: &Shop, lines: &str) -> Ran {
    let path = shop.write("lines.txt", lines);
    let mut command = shop.command(&["shell", "--json"]);
    command.stdin(File::open(path).unwrap()).env("HOME", shop.path(""));
    finish(command)
}
