//! A way to a PostgreSQL server that can be cut, and led to another server.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use tempfile::TempDir;

/// Socket's name in its folder, as PostgreSQL has it.
const SOCKET: &str = ".s.PGSQL.5432";

struct Way {
    is_cut: bool,
    leads_to: PathBuf,
}

type Shared = Arc<(Mutex<Way>, Condvar)>;

/// A folder with a socket that leads to a server.
pub struct Gate {
    folder: TempDir,
    way: Shared,
}

impl Gate {
    pub fn to(server: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("gate").tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let way = Way {
            is_cut: false,
            leads_to: server.to_owned(),
        };
        let way: Shared = Arc::new((Mutex::new(way), Condvar::new()));
        let shared = way.clone();
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let way = shared.clone();
                thread::spawn(move || carry(&near, &way));
            }
        });
        Self { folder, way }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// From now on nothing comes through, and nobody is told.
    pub fn cut(&self) {
        self.change(|way| way.is_cut = true);
    }

    /// What was held back comes through, late.
    pub fn mend(&self) {
        self.change(|way| way.is_cut = false);
    }

    /// New connections go to another server.
    pub fn lead_to(&self, server: &Path) {
        self.change(|way| server.clone_into(&mut way.leads_to));
    }

    fn change(&self, change: impl FnOnce(&mut Way)) {
        let (way, changed) = &*self.way;
        change(&mut way.lock().unwrap());
        changed.notify_all();
    }
}

/// Where the way leads, once it is open.
fn open(way: &Shared) -> PathBuf {
    let (way, changed) = &**way;
    let open = changed.wait_while(way.lock().unwrap(), |way| way.is_cut);
    open.unwrap().leads_to.clone()
}

fn carry(near: &UnixStream, way: &Shared) {
    let Ok(far) = UnixStream::connect(open(way).join(SOCKET)) else {
        return; // refused, as a server that is down does
    };
    thread::scope(|scope| {
        scope.spawn(|| copy(near, &far, way));
        copy(&far, near, way);
    });
}

fn copy(mut from: &UnixStream, mut to: &UnixStream, way: &Shared) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        open(way);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}
