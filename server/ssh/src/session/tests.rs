use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use engine::{AllowedNetworks, Resolve};
use model::{Code, Problem};
use russh::{
    Channel, ChannelId, MethodSet,
    keys::{HashAlg, PrivateKey, key::safe_rng},
    server::{self, Auth, Msg},
};
use tokio::net::{TcpListener, TcpSocket};

use super::*;

const RIGHT: &str = "pa ss$word";

/// An sshd that accepts one password of one account, with the methods given, and records what it is received.
struct Sshd {
    ssh: Ssh,
    received: Arc<Received>,
    key: Fingerprint,
}

/// Every name is this machine's.
struct OwnName;

#[async_trait]
impl Resolve for OwnName {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }

    fn is_own(&self, _: IpAddr) -> bool {
        false
    }
}

#[derive(Default)]
struct Received {
    attempts: AtomicUsize,
    commands: Mutex<Vec<(String, Vec<u8>)>>,
}

struct Handler {
    received: Arc<Received>,
    input: Vec<u8>,
    command: String,
}

impl Handler {
    fn attempt(&self, password: &[u8]) -> Auth {
        self.received.attempts.fetch_add(1, Ordering::SeqCst);
        if password == RIGHT.as_bytes() { Auth::Accept } else { Auth::reject() }
    }
}

impl server::Handler for Handler {
    type Error = russh::Error;

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.attempt(password.as_bytes()))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<server::Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        match response.and_then(|mut response| response.next()) {
            Some(answer) => Ok(self.attempt(&answer)),
            None => Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            }),
        }
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: server::ChannelOpenHandle,
        _session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        self.command = String::from_utf8_lossy(command).into_owned();
        session.channel_success(channel)
    }

    async fn data(
        &mut self,
        _channel: ChannelId,
        data: &[u8],
        _session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        self.input.extend(data);
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, session: &mut server::Session) -> Result<(), russh::Error> {
        self.received.commands.lock().unwrap().push((self.command.clone(), self.input.clone()));
        session.extended_data(channel, 1, "no space left".as_bytes().to_vec())?;
        session.exit_status_request(channel, 72)?;
        session.close(channel)
    }
}

impl Sshd {
    async fn start(methods: &[MethodKind], password: Option<&str>) -> Self {
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
        let fingerprint: Fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string().parse().unwrap();
        let config = Arc::new(server::Config {
            keys: vec![key],
            methods: MethodSet::from(methods),
            auth_rejection_time: Duration::ZERO,
            ..server::Config::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Received::default());
        let recorder = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let handler = Handler { received: Arc::clone(&recorder), input: Vec::new(), command: String::new() };
                let session = server::run_stream(Arc::clone(&config), stream, handler).await;
                tokio::spawn(async move { session.unwrap().await });
            }
        });
        let ssh = Ssh {
            address: "127.0.0.1".parse().unwrap(),
            port,
            user: "mover".parse().unwrap(),
            login: SshLogin::Password(password.map(|text| Secret::new(text.to_owned()))),
            fingerprint: Some(fingerprint.clone()),
        };
        Self { ssh, received, key: fingerprint }
    }

    async fn log_in(&self) -> Result<Session, SshError> {
        self.log_in_if(AllowedNetworks::Any).await
    }

    async fn log_in_if(&self, allowed: AllowedNetworks) -> Result<Session, SshError> {
        let networks = Networks::new(allowed, &[], OwnName);
        Session::log_in(&self.ssh, &networks, &KnownHosts::at("/nonexistent/known_hosts".into())).await
    }

    async fn refusal(&self) -> Code {
        Problem::from(self.log_in().await.err().unwrap()).code
    }

    fn attempts(&self) -> usize {
        self.received.attempts.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_command_gets_its_input_and_returns_its_exit_code_and_output() {
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let sshd = Sshd::start(&[MethodKind::PublicKey, method], Some(RIGHT)).await;
        let outcome = sshd.log_in().await.unwrap().run("put it there", b"a line\n").await.unwrap();
        assert_eq!((outcome.exit, outcome.output.as_str()), (Some(72), "no space left"));
        let commands = sshd.received.commands.lock().unwrap().clone();
        assert_eq!(commands, [("put it there".to_owned(), b"a line\n".to_vec())]);
        assert_eq!(sshd.attempts(), 1);
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    for methods in [
        [MethodKind::PublicKey, MethodKind::Password],
        [MethodKind::PublicKey, MethodKind::KeyboardInteractive],
        [MethodKind::Password, MethodKind::KeyboardInteractive],
    ] {
        let sshd = Sshd::start(&methods, Some("wrong")).await;
        assert_eq!(sshd.refusal().await, Code::LoginRefused);
        assert_eq!(sshd.attempts(), 1);
    }
}

#[tokio::test]
async fn a_host_that_is_not_the_one_meant_never_sees_the_password() {
    let mut sshd = Sshd::start(&[MethodKind::Password], Some(RIGHT)).await;
    sshd.ssh.fingerprint = None;
    let refused = Problem::from(sshd.log_in().await.err().unwrap());
    assert_eq!((refused.code, refused.fingerprint.as_deref()), (Code::HostKeyUnknown, Some(sshd.key.as_str())));
    sshd.ssh.fingerprint = Some(format!("SHA256:{}", "A".repeat(43)).parse().unwrap());
    assert_eq!(sshd.refusal().await, Code::HostKeyChanged);
    assert_eq!(sshd.attempts(), 0);
}

#[tokio::test]
async fn what_can_t_work_is_not_tried() {
    let sshd = Sshd::start(&[MethodKind::PublicKey], Some(RIGHT)).await;
    assert_eq!(sshd.refusal().await, Code::LoginRefused);
    assert_eq!(sshd.attempts(), 0);
    let sshd = Sshd::start(&[MethodKind::Password], None).await;
    assert_eq!(sshd.refusal().await, Code::NeedsLogin);
    assert_eq!(sshd.attempts(), 0);
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_reported() {
    let mut sshd = Sshd::start(&[MethodKind::Password], Some(RIGHT)).await;
    // Bound, so that no other process gets the port, but not listening.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    sshd.ssh.port = closed.local_addr().unwrap().port();
    assert_eq!(sshd.refusal().await, Code::HostUnreachable);
}

#[tokio::test]
async fn a_name_that_stands_for_this_machine_never_sees_the_password() {
    let mut sshd = Sshd::start(&[MethodKind::Password], Some(RIGHT)).await;
    sshd.ssh.address = "console.example".parse().unwrap();
    assert!(sshd.log_in().await.is_ok(), "the name is resolved as the table says");
    let attempts = sshd.attempts();
    let open = Problem::from(sshd.log_in_if(AllowedNetworks::Routed).await.err().unwrap());
    sshd.ssh.port = 1;
    let closed = Problem::from(sshd.log_in_if(AllowedNetworks::Routed).await.err().unwrap());
    assert_eq!(open, closed, "the answer does not tell which port is open");
    assert_eq!(sshd.attempts(), attempts);
}
