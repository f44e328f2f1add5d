use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Answers like an API that accepts only the credentials `accepted`, calls `meanwhile` before each
/// answer, and returns the credentials of each request.
fn serve(
    listener: &TcpListener,
    accepted: &str,
    requests: usize,
    meanwhile: impl Fn(),
) -> Vec<String> {
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    let mut given = Vec::new();
    for _ in 0..requests {
        let mut credentials = String::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(": Basic ")
                && name.eq_ignore_ascii_case("authorization")
            {
                credentials = String::from_utf8(STANDARD.decode(value).unwrap()).unwrap();
            }
        }
        meanwhile();
        let status = if credentials == accepted { "200 OK" } else { "401 Unauthorized" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}");
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
        given.push(credentials);
    }
    given
}

#[test]
fn the_password_is_read_anew_for_each_request_and_after_a_refusal() {
    let diagnostics = Diagnostics::new(PROGRAM, true, false);
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |text: &str| std::fs::write(file.path(), text).unwrap();
    write("old\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let path = file.path().to_str().unwrap();
    let options = Options {
        url: url.parse().unwrap(),
        user: "u".to_owned(),
        password: Password::in_file(path, diagnostics).unwrap(),
        cacert: None,
        timeout: Duration::from_secs(10),
        long: Duration::from_secs(10),
        retry: None,
    };
    let client = Client::new(&options, diagnostics).unwrap();
    let ask = || client.ask(Method::GET, "/whoami", None).unwrap().status;
    std::thread::scope(|scope| {
        // The password is changed, and its file is written after the request was sent.
        let server = scope.spawn(|| serve(&listener, "u:new", 3, || write("new\n")));
        assert_eq!([ask(), ask()], [200, 200]);
        assert_eq!(server.join().unwrap(), ["u:old", "u:new", "u:new"]);
    });
    let client = Client::new(&options, diagnostics).unwrap();
    std::thread::scope(|scope| {
        // It does not ask forever.
        let server = scope.spawn(|| serve(&listener, "u:another", 1, || ()));
        assert_eq!(client.ask(Method::GET, "/whoami", None).unwrap().status, 401);
        assert_eq!(server.join().unwrap(), ["u:new"]);
    });
}
