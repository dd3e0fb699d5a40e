//! What the files in `deploy/` are for: a real nginx, a real supervisord, and what else can be tried without Docker and
//! without being a machine's first process.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use testkit::Port;

use crate::books::Books;
use crate::faults::{import, orders};
use crate::support::{Process, Ran, Shop, finish, text, wait_until};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of `deploy/`, with some words replaced, each of which it must have.
fn file(name: &str, replaced: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(root().join("deploy").join(name)).expect("the file is there");
    replaced.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "deploy/{name} has no `{from}`");
        text.replace(from, to)
    })
}

fn succeed(command: Command) -> Ran {
    let said = format!("{command:?}");
    let ran = finish(command);
    assert_eq!(ran.code(), Some(0), "{said}\n{ran}");
    ran
}

#[test]
fn a_server_and_workers_tell_whether_they_are_ready_without_another_program() {
    let port = Port::reserve();
    let shop = Shop::new().set("web.listen", format!("0.0.0.0:{}", port.number()));
    let nobody = shop.run(&["healthcheck"]);
    assert_eq!(nobody.code(), Some(1), "{nobody}");
    assert!(nobody.stderr.contains(&format!("{port} gives no answer")), "{nobody}");
    let mut serving = shop.start(&["serve", "--no-workers"]);
    serving.address();
    shop.done(&["healthcheck"]);
    let nobody = shop.run(&["healthcheck", "--workers"]);
    assert_eq!(nobody.code(), Some(1), "{nobody}");
    assert!(nobody.stderr.contains("start `ordermill work`"), "{nobody}");
    let worker = shop.start(&["work"]);
    wait_until("workers report", || shop.run(&["healthcheck", "--workers"]).code() == Some(0));
    assert_eq!(worker.terminate().code(), Some(0));
    assert_eq!(shop.run(&["healthcheck", "--workers"]).code(), Some(1), "they have signed off");
}

/// nginx with our settings, in front of `upstream`.
struct Nginx {
    port: Port,
    process: Process,
}

impl Nginx {
    fn start(shop: &Shop, upstream: &str) -> Self {
        let port = Port::reserve();
        let listen = format!("listen {port};");
        let replaced =
            [("listen 80;", listen.as_str()), ("    listen [::]:80;\n", ""), ("127.0.0.1:8000", upstream)];
        let ours = shop.write("ordermill.conf", file("nginx.conf", &replaced));
        let folder = text(shop.folder()).to_owned();
        // The rest of what Debian's own file says, for a folder that is nobody else's.
        let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {folder}/nginx-{what};"))
            .join("\n");
        let main = format!(
            "{user}\ndaemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr;\n\
             events {{}}\nhttp {{\n{temporary}\naccess_log off;\ninclude {};\n}}\n",
            text(&ours)
        );
        let main = shop.write("nginx.conf", main);
        let command = |arguments: &[&str]| {
            let mut nginx = shop.other("nginx");
            nginx.env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin");
            nginx.args(["-p", &folder, "-e", "stderr", "-c", text(&main)]).args(arguments);
            nginx
        };
        let tested = succeed(command(&["-t"]));
        assert!(!tested.stderr.contains("[warn]"), "{tested}");
        let process = Process::start(command(&[]), shop.folder());
        wait_until("nginx listens", || TcpStream::connect(port.to_string()).is_ok());
        Nginx { port, process }
    }

    /// Asks by curl; the status and what else was said.
    fn ask(&self, path: &str, arguments: &[&str]) -> (u16, String) {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-w", "\n%{content_type}\n%{http_code}"]).args(arguments);
        curl.arg(format!("http://{}{path}", self.port));
        let said = succeed(curl).stdout;
        let (said, status) = said.rsplit_once('\n').expect("a status");
        (status.parse().expect("a status"), said.to_owned())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind.
        self.process.signal(Signal::TERM);
        wait_until("nginx ends", || !self.process.is_running());
    }
}

/// Reads until this was said.
fn hear(stream: &mut TcpStream, said: &str) {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4_096]);
    while !String::from_utf8_lossy(&heard).contains(said) {
        let read = stream.read(&mut buffer).expect("the connection stays");
        assert!(read > 0, "it ended without {said}: {}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&buffer[..read]);
    }
}

#[test]
fn through_the_proxy_orders_come_in_news_go_out_and_faults_are_told_alike() {
    let shop = Shop::new().set("web.listen", "127.0.0.1:0");
    shop.done(&["stock", "receive", "TEA-1", "100", "--name", "Teapot", "--price", "19.99"]);
    let token = shop.done(&["token", "create", "--role", "operator", "--name", "till"]).stdout;
    let auth = format!("authorization: Bearer {}", token.trim());
    let mut serving = shop.start(&["serve"]);
    let nginx = Nginx::start(&shop, &serving.address());
    let mut listener = TcpStream::connect(nginx.port.to_string()).expect("nginx listens");
    write!(listener, "GET /api/events?topics=orders HTTP/1.1\r\nhost: shop\r\n{auth}\r\n\r\n")
        .expect("nginx takes a request");
    hear(&mut listener, "event: ready");
    let json = "content-type: application/json";
    let order = r#"{"source": "shop", "external_id": "A-1", "customer": {"email": "jane@example.com"},
                    "lines": [{"sku": "TEA-1", "quantity": 2}]}"#;
    let place = |key: &str| nginx.ask("/api/orders", &["-H", &auth, "-H", json, "-H", key, "-d", order]);
    let (status, placed) = place("idempotency-key: one");
    assert_eq!(status, 201, "{placed}");
    assert_eq!(place("idempotency-key: one").0, 201, "answered alike");
    assert_eq!(shop.count("SELECT COUNT(*) FROM orders"), 1);
    hear(&mut listener, "\"event\":\"order_confirmed\"");
    let large = shop.write("large.json", vec![b' '; 4 << 20]);
    let data = format!("@{}", text(&large));
    let (status, said) = nginx.ask("/api/orders", &["-H", &auth, "-H", json, "--data-binary", &data]);
    assert_eq!(status, 413, "{said}");
    let direct = Command::new("curl")
        .args(["-sS", "-H", &auth, "-H", json, "--data-binary", &data])
        .arg(format!("http://{}/api/orders", serving.address()))
        .output()
        .expect("curl runs");
    let direct = String::from_utf8_lossy(&direct.stdout);
    assert_eq!(said, format!("{direct}\napplication/problem+json"), "it is refused in the server's words");
    assert_eq!(nginx.ask("/healthz", &[]).0, 200);
    assert_eq!([nginx.ask("/metrics", &[]).0, nginx.ask("/readyz", &[]).0], [404, 404], "not for strangers");
    assert_eq!(serving.terminate().code(), Some(0));
    assert_eq!(nginx.ask("/healthz", &[]).0, 502);
}

#[test]
fn through_the_proxy_a_file_reaches_the_server_while_it_is_still_being_sent() {
    const BOUNDARY: &str = "a-boundary";
    /// More than nginx takes for anything else.
    const BYTES: usize = 24 << 20;
    let shop = Shop::new().set("web.listen", "127.0.0.1:0").set("imports.spool", "spool");
    let token = shop.done(&["token", "create", "--role", "operator", "--name", "till"]).stdout;
    let mut serving = shop.start(&["serve", "--no-workers"]);
    let nginx = Nginx::start(&shop, &serving.address());
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"large.csv\"\r\n\r\n\
         order_id,order_date,customer_email,sku,quantity,unit_price,currency\n"
    );
    let row = |n| format!("A-{n},2025-01-01,c{n}@example.org,SKU-1,2,12.50,EUR\n");
    let rows = (0..4_096).map(row).collect::<Vec<_>>().concat();
    let times = BYTES / rows.len();
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let mut stream = TcpStream::connect(nginx.port.to_string()).expect("nginx listens");
    write!(
        stream,
        "POST /api/orders/import HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {}\r\n\r\n{head}",
        token.trim(),
        head.len() + rows.len() * times + tail.len()
    )
    .expect("nginx takes the head");
    for _ in 0..times / 2 {
        stream.write_all(rows.as_bytes()).expect("nginx takes rows");
    }
    let kept = || -> u64 {
        let files = fs::read_dir(shop.path("spool")).into_iter().flatten().flatten();
        files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
    };
    wait_until("the server has half of the file", || kept() > (rows.len() * times / 3) as u64);
    for _ in times / 2..times {
        stream.write_all(rows.as_bytes()).expect("nginx takes rows");
    }
    stream.write_all(tail.as_bytes()).expect("nginx takes the end");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(shop.json(&["imports", "list"])["imports"][0]["file_name"], "large.csv");
}

#[test]
fn through_the_proxy_events_come_as_they_happen_and_nobody_lies_about_who_they_are() {
    let shop = Shop::new();
    // Stands in for the server, to see what reaches it and to send when it likes.
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nginx = Nginx::start(&shop, &server.local_addr().expect("its address").to_string());
    let mut client = TcpStream::connect(nginx.port.to_string()).expect("nginx listens");
    let ask = "GET /api/events HTTP/1.1\r\nhost: shop.example\r\nx-forwarded-for: 10.9.9.9\r\n\
               x-forwarded-proto: https\r\nforwarded: for=10.9.9.9\r\nlast-event-id: 41\r\n\r\n";
    client.write_all(ask.as_bytes()).expect("nginx takes a request");
    let (mut inside, _) = server.accept().expect("nginx passes it on");
    let mut reader = BufReader::new(inside.try_clone().expect("the connection"));
    let head: Vec<String> =
        reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let head = head.join("\n").to_lowercase();
    for line in
        ["host: shop.example", "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: http", "last-event-id: 41"]
    {
        assert!(head.lines().any(|found| found == line), "no `{line}` in {head}");
    }
    assert!(!head.contains("10.9.9.9"), "{head}");
    inside
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 42\ndata: {}\n\n")
        .expect("nginx takes an event");
    // The stream goes on; what came must not be held back.
    let mut lines = BufReader::new(client).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "id: 42")), "the event did not come");
}

/// supervisord with our settings.
struct Supervisord<'s> {
    shop: &'s Shop,
    process: Process,
}

impl<'s> Supervisord<'s> {
    fn start(shop: &'s Shop) -> Self {
        let folder = text(shop.folder()).to_owned();
        let settings = shop.write("ordermill.toml", "[web]\nlisten = \"127.0.0.1:0\"\n");
        let replaced = [
            ("/usr/local/bin/ordermill", env!("CARGO_BIN_EXE_ordermill")),
            ("/etc/ordermill/ordermill.toml", text(&settings)),
            ("/var/lib/ordermill", &folder),
            ("/var/log/ordermill", &folder),
            ("user=ordermill\n", ""),
        ];
        let ours = shop.write("ordermill.conf", file("supervisor.conf", &replaced));
        // The rest of what Debian's own file says.
        let main = format!(
            "[unix_http_server]\nfile={folder}/supervisor.sock\n\
             [supervisord]\nnodaemon=true\nlogfile={folder}/supervisord.log\npidfile={folder}/supervisord.pid\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://{folder}/supervisor.sock\n[include]\nfiles = {}\n",
            text(&ours)
        );
        shop.write("supervisord.conf", main);
        let mut command = shop.other("supervisord");
        command.args(["-n", "-c", "supervisord.conf"]);
        Supervisord { shop, process: Process::start(command, shop.folder()) }
    }

    fn control(&self, arguments: &[&str]) -> Ran {
        let mut command = self.shop.other("supervisorctl");
        command.args(["-c", "supervisord.conf"]).args(arguments);
        finish(command)
    }

    /// The processes that run, by name.
    fn running(&self) -> Vec<String> {
        let said = self.control(&["status"]).stdout;
        let running = said.lines().filter(|line| line.contains("RUNNING"));
        running.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
    }

    fn process_of(&self, name: &str) -> Option<Pid> {
        self.control(&["pid", name]).stdout.trim().parse().ok().and_then(Pid::from_raw)
    }
}

impl Drop for Supervisord<'_> {
    fn drop(&mut self) {
        // Killed, it would leave its processes behind.
        self.process.signal(Signal::TERM);
        wait_until("supervisord ends", || !self.process.is_running());
    }
}

#[test]
fn under_supervisord_a_killed_worker_comes_back_and_restarts_and_stops_lose_nothing() {
    const EACH: [&str; 3] =
        ["ordermill:ordermill-serve", "ordermill:ordermill-work-1", "ordermill:ordermill-work-2"];
    let shop = Shop::new().set("queue.lease", "2s").set("gateway.latency", "50ms");
    shop.done(&["migrate"]);
    let supervised = Supervisord::start(&shop);
    wait_until("all run", || supervised.running() == EACH);
    let victim = supervised.process_of(EACH[1]).expect("its process");
    let confirmed = || shop.count("SELECT COUNT(*) FROM orders WHERE status = 3");
    shop.done(&[import(&orders(&shop, 1, 1_000)), vec!["--detach"]].concat());
    wait_until("some are confirmed", || confirmed() > 0);
    kill_process(victim, Signal::KILL).expect("a process of ours");
    wait_until("another takes its place", || {
        supervised.process_of(EACH[1]).is_some_and(|pid| pid != victim) && supervised.running() == EACH
    });
    wait_until("all are confirmed", || confirmed() == 1_000);
    // As an upgrade does: one after the other, while orders come in.
    shop.done(&[import(&orders(&shop, 2, 1_000)), vec!["--detach"]].concat());
    wait_until("some more are confirmed", || confirmed() > 1_000);
    for name in [EACH[1], EACH[2], EACH[0]] {
        let restarted = supervised.control(&["restart", name]);
        assert_eq!(restarted.code(), Some(0), "{restarted}");
    }
    assert_eq!(supervised.running(), EACH);
    wait_until("all are confirmed", || confirmed() == 2_000);
    let stopped = supervised.control(&["stop", "all"]);
    assert_eq!(stopped.code(), Some(0), "{stopped}");
    assert_eq!(supervised.running(), [""; 0]);
    for log in ["work-1.log", "work-2.log"] {
        let log = fs::read_to_string(shop.path(log)).expect("its log");
        assert!(log.contains("the workers have stopped"), "it was not drained: {log}");
    }
    assert_eq!(
        shop.json(&["status"])["supervisors"].as_array().map(Vec::len),
        Some(0),
        "all have signed off"
    );
    shop.done(&["work", "--until-idle"]);
    Books::of(&shop).assert_each_effect_once(2_000);
    shop.assert_clean();
}

#[test]
fn the_units_are_whole_and_leave_the_program_no_more_than_it_needs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["ordermill-serve.service", "ordermill-work@.service"] {
        let unit = file(
            &format!("systemd/{name}"),
            &[("/usr/local/bin/ordermill", env!("CARGO_BIN_EXE_ordermill"))],
        );
        let path = folder.path().join(name);
        fs::write(&path, unit).expect("a file in the temporary folder");
        let mut verify = Command::new("systemd-analyze");
        verify.args(["verify", "--man=no", text(&path)]);
        let verified = succeed(verify);
        // Unknown settings are warnings, and so is all that it says about other units of this machine.
        assert!(!verified.text().contains(name), "{verified}");
        let mut security = Command::new("systemd-analyze");
        // Of 100, the most exposed; most services have 96.
        security.args(["security", "--offline=true", "--no-pager", "--threshold=20", text(&path)]);
        succeed(security);
    }
}

/// What looks at the files of containers.
fn lint(program: &str) -> Command {
    let folder = Command::new(root().join("scripts/get-lints")).output().expect("scripts/get-lints runs");
    assert!(folder.status.success(), "{}", String::from_utf8_lossy(&folder.stderr));
    Command::new(Path::new(String::from_utf8_lossy(&folder.stdout).trim()).join(program))
}

#[test]
fn the_files_of_containers_are_as_their_form_wants_them() {
    let deploy = root().join("deploy");
    let mut hadolint = lint("hadolint");
    hadolint.arg(deploy.join("Dockerfile"));
    succeed(hadolint);
    let mut schema = lint("check-jsonschema");
    schema.args(["--builtin-schema", "vendor.compose-spec"]).arg(deploy.join("compose.yaml"));
    succeed(schema);
}

#[test]
fn containers_are_given_commands_and_settings_that_the_program_knows() {
    let shop = Shop::new();
    let compose = file("compose.yaml", &[]);
    let dockerfile = file("Dockerfile", &[]);
    let lists = compose.lines().chain(dockerfile.lines()).filter_map(|line| {
        let (what, list) = line.split_once('[')?;
        let words = list.trim_end().strip_suffix(']')?.split(", ").map(|word| word.trim_matches('"'));
        let words: Vec<&str> = words.collect();
        match (what.trim(), words.as_slice()) {
            (_, ["CMD", "ordermill", rest @ ..] | ["ordermill", rest @ ..]) if !rest.is_empty() => {
                Some(rest.to_vec())
            }
            ("CMD", rest) | ("command:", rest @ (["migrate"] | ["--no-migrate", ..])) => Some(rest.to_vec()),
            _ => None,
        }
    });
    let lists: Vec<Vec<&str>> = lists.collect();
    assert_eq!(lists.len(), 6, "{lists:?}");
    for list in lists {
        shop.done(&[list.as_slice(), &["--help"]].concat());
    }

    fs::create_dir(shop.path("deploy")).expect("a folder");
    let script = shop.path("deploy/make-secrets");
    fs::copy(root().join("deploy/make-secrets"), &script).expect("the script");
    succeed(Command::new(&script));
    let settings = fs::read(shop.path("deploy/secrets/ordermill.toml")).expect("the settings");
    succeed(Command::new(&script));
    assert_eq!(
        fs::read(shop.path("deploy/secrets/ordermill.toml")).expect("them"),
        settings,
        "what is there stays"
    );
    let variables = compose.lines().chain(dockerfile.lines()).filter_map(|line| {
        let (name, value) = line.trim().trim_end_matches([' ', '\\']).split_once([':', '='])?;
        (name.starts_with("ORDERMILL_") && name != "ORDERMILL_CONFIG")
            .then(|| (name.to_owned(), value.trim().trim_matches('"').to_owned()))
    });
    let variables: Vec<(String, String)> = variables.collect();
    assert!(variables.len() >= 8, "{variables:?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordermill"));
    command.current_dir(shop.folder()).args(["--config", "deploy/secrets/ordermill.toml", "config", "--set"]);
    command.env_clear().envs(variables);
    let shown = succeed(command).stdout;
    assert!(shown.contains("@mysql/orders") && shown.contains("redis://valkey"), "{shown}");
}

mod sqlite {
    use super::*;

    #[test]
    fn what_is_not_ready_is_named() {
        let port = Port::reserve();
        let shop = Shop::on_file().set("web.listen", port.to_string());
        let mut serving = shop.start(&["serve", "--no-workers"]);
        serving.address();
        // What a server writes once it listens comes before: it ends where it cannot.
        wait_until("it is ready", || shop.run(&["healthcheck"]).code() == Some(0));
        let foreign = rusqlite::Connection::open(shop.path("shop.db")).expect("the database opens");
        foreign.execute_batch("BEGIN IMMEDIATE").expect("SQLite's own lock");
        let mut said = shop.run(&["healthcheck"]);
        // The answer of a moment ago may be shared.
        wait_until("it is noticed", || {
            said = shop.run(&["healthcheck"]);
            // A busy machine may have it without an answer at first, which is another thing to be told.
            said.code() == Some(1) && !said.stderr.contains("gives no answer")
        });
        assert!(said.stderr.contains("the server is not ready: database_writable: "), "{said}");
        drop(foreign);
        wait_until("it is ready again", || shop.run(&["healthcheck"]).code() == Some(0));
    }
}
