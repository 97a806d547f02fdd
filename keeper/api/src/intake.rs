//! Where requests are filed, however they come: one thread takes all that wait, files them in one transaction, and answers each once that is on the
//! disk. The more wait, the more share one wait for the disk.

use std::{collections::BTreeSet, thread};

use tidelock_store::{BETWEEN_PIECES, Desk, Filed, Filing, Location, Noted, StoreError};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use crate::{
    body::Asked,
    problem::{self, Problem},
};

/// Posts that wait; more have to wait to be let in.
const WAITING: usize = 4_096;
/// Payments from which on no other post is taken along, so that one transaction keeps nobody out for long.
const TOGETHER: usize = 512;
/// Payments of one post at most, for the same reason.
pub(crate) const PIECE: usize = 256;

/// What became of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is durable, by this post or by an earlier one that said the same.
    Filed(Filed),
    /// Its ref was used for something else; it was not filed.
    Taken,
}

/// Payments to file, and who waits for the answer.
struct Post {
    asked: Vec<Noted>,
    answer: oneshot::Sender<Result<Vec<Outcome>, Broken>>,
}

/// The store failed; whoever runs it was told why.
#[derive(Debug)]
struct Broken;

/// Files requests. The thread ends once nobody can post any more, and files first what was posted.
#[derive(Clone)]
pub(crate) struct Intake {
    posts: mpsc::Sender<Post>,
}

impl Intake {
    pub fn start(location: Location) -> std::io::Result<(Self, thread::JoinHandle<()>)> {
        let (posts, receiver) = mpsc::channel(WAITING);
        let thread = thread::Builder::new().name("api intake".to_owned());
        let thread = thread.spawn(move || work(receiver, &location))?;
        Ok((Self { posts }, thread))
    }

    /// Files each payment whose ref was not used for something else; answers in their order, once all are durable.
    pub async fn file(&self, asked: Vec<Asked>) -> Result<Vec<Outcome>, Problem> {
        self.post(asked.into_iter().map(Noted::from).collect())
            .await
    }

    /// Files one payment, or says that its ref was used for something else.
    pub async fn file_one(&self, asked: Noted) -> Result<Filed, Problem> {
        let reference = asked.payment.reference();
        match self.post(vec![asked]).await?.first() {
            Some(Outcome::Filed(filed)) => Ok(*filed),
            Some(Outcome::Taken) => {
                let rule = "was used already for another recipient or amount";
                let broken = problem::Broken::new("ref", &reference.to_string(), rule);
                Err(Problem::taken(vec![broken]))
            }
            None => Err(Problem::internal()),
        }
    }

    async fn post(&self, asked: Vec<Noted>) -> Result<Vec<Outcome>, Problem> {
        let (answer, answered) = oneshot::channel();
        let post = Post { asked, answer };
        self.posts
            .send(post)
            .await
            .map_err(|_| Problem::internal())?;
        let answered = answered.await.map_err(|_| Problem::internal())?;
        answered.map_err(|Broken| {
            Problem::unavailable(
                "the store cannot be used just now; whether this is durable is not known. Send it again: a ref is filed once",
            )
        })
    }
}

fn work(mut receiver: mpsc::Receiver<Post>, location: &Location) {
    let mut desk: Option<Desk> = None;
    while let Some(first) = receiver.blocking_recv() {
        let mut count = first.asked.len();
        let mut posts = vec![first];
        while count < TOGETHER
            && let Ok(post) = receiver.try_recv()
        {
            count = count.saturating_add(post.asked.len());
            posts.push(post);
        }
        answer(&mut desk, location, posts);
        // Whoever writes the log comes in between.
        thread::sleep(BETWEEN_PIECES);
    }
}

/// Files posts together. What is wrong with the row of one ref must not be in the way of the others.
fn answer(desk: &mut Option<Desk>, location: &Location, posts: Vec<Post>) {
    let asked: Vec<&Noted> = posts.iter().flat_map(|post| &post.asked).collect();
    let filed = file(desk, location, &asked);
    match filed {
        Ok(outcomes) => {
            let mut outcomes = outcomes.into_iter();
            for post in posts {
                let own = outcomes.by_ref().take(post.asked.len()).collect();
                // Whoever posted it may be gone; it is filed all the same.
                let _ = post.answer.send(Ok(own));
            }
        }
        Err(cause) if posts.len() > 1 && !cause.passes() => {
            for post in posts {
                answer(desk, location, vec![post]);
            }
        }
        Err(cause) => {
            error!(%cause, "requests cannot be filed");
            for post in posts {
                let _ = post.answer.send(Err(Broken));
            }
        }
    }
}

impl From<Asked> for Noted {
    fn from(asked: Asked) -> Self {
        Self {
            payment: asked.payment,
            note: asked.metadata,
            filed_by: None,
        }
    }
}

/// Files what can be filed. A refusal files nothing, so what it names is left out and the others are filed again.
fn file(
    slot: &mut Option<Desk>,
    location: &Location,
    asked: &[&Noted],
) -> Result<Vec<Outcome>, StoreError> {
    // After an error nobody knows what is stored: the store is opened anew.
    let mut desk = match slot.take() {
        Some(desk) => desk,
        None => Desk::open(location)?,
    };
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let filed = loop {
        let rest = (0..).zip(asked);
        let rest = rest.filter(|(index, _)| !taken.contains(index));
        let (places, rest): (Vec<usize>, Vec<Noted>) =
            rest.map(|(index, asked)| (index, (*asked).clone())).unzip();
        match desk.file_noted(&rest)? {
            Filing::Filed(filed) => break filed,
            Filing::Refused(refused) => {
                let places = refused.iter().filter_map(|one| places.get(one.index));
                taken.extend(places);
            }
        }
    };
    *slot = Some(desk);
    let mut filed = filed.into_iter();
    let outcomes = (0..asked.len()).map(|index| {
        if taken.contains(&index) {
            return Some(Outcome::Taken);
        }
        filed.next().map(Outcome::Filed)
    });
    outcomes
        .collect::<Option<Vec<Outcome>>>()
        .ok_or_else(|| StoreError::Damaged {
            what: "an answer".to_owned(),
            why: "fewer requests were filed than were handed in".to_owned(),
        })
}
