//! A connection that ends when whoever it leads to takes nothing for too long: who reads slowly holds nobody up for ever.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::figures::Board;

/// A stream whose writes end in time.
pub(crate) struct Timed<S> {
    stream: S,
    /// How long the other side may take nothing.
    takes: Duration,
    waits: Option<Pin<Box<Sleep>>>,
    /// Where it is counted if it takes nothing; once.
    board: Option<Board>,
}

impl<S> Timed<S> {
    pub fn new(stream: S, takes: Duration, board: Board) -> Self {
        Self {
            stream,
            takes,
            waits: None,
            board: Some(board),
        }
    }

    /// What a write came to, unless it waits for too long.
    fn in_time<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let waits = self
            .waits
            .get_or_insert_with(|| Box::pin(sleep(self.takes)));
        ready!(waits.as_mut().poll(context));
        if let Some(board) = self.board.take() {
            board.stalled();
        }
        let why = "the other side took nothing for too long";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.in_time(written, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        this.in_time(flushed, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        this.in_time(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const TAKES: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_cut_off_and_who_takes_a_little_is_not() {
        let (near, mut far) = duplex(16);
        let board = Board::default();
        let mut near = Timed::new(near, TAKES, board.clone());
        let written = tokio::spawn(async move { near.write_all(&[7; 64]).await });
        // A little, again and again, just in time.
        let mut taken = [0; 16];
        for _ in 0..3 {
            tokio::time::sleep(TAKES - Duration::from_millis(10)).await;
            far.read_exact(&mut taken).await.unwrap();
        }
        written.await.unwrap().unwrap();
        assert_eq!(board.read().stalled, 0);

        let (near, _far) = duplex(16);
        let mut near = Timed::new(near, TAKES, board.clone());
        let cut = near.write_all(&[7; 64]).await.unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
        near.write_all(&[7; 64]).await.unwrap_err();
        assert_eq!(board.read().stalled, 1, "it is counted once");
    }
}
