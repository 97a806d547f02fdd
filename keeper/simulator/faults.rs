//! What goes wrong, by name. This is the list of faults that the keeper must survive; the numbers are their names in it, and
//! no other list has them.

/// Declares the faults: variant, number in the list, how often in a thousand chances, what it is.
macro_rules! faults {
    ($($name:ident $number:literal $per_mille:literal $what:literal;)*) => {
        /// Something that goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $(#[doc = $what] $name),*
        }

        impl Fault {
            /// All of them, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its number in the list.
            pub fn number(self) -> u8 {
                match self { $(Self::$name => $number),* }
            }

            /// How often it strikes when it can and the seed has it. [in a thousand]
            pub fn per_mille(self) -> u64 {
                match self { $(Self::$name => $per_mille),* }
            }

            /// In words.
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => $what),* }
            }
        }
    };
}

faults! {
    CrashBeforeSigning 1 4 "crash with a slot reserved and nothing signed";
    CrashBeforeFsync 2 4 "crash after signing, before the bytes are durable";
    CrashBeforeSend 3 4 "crash after the bytes are durable, before they are sent";
    ReplyLost 4 60 "the reply to a send is lost";
    CrashMidReplacement 5 10 "crash while a replacement is made";
    AlreadyKnown 6 40 "the node says: already known";
    NonceTooLow 7 40 "the node says: nonce too low";
    Underpriced 8 60 "the node says: replacement underpriced";
    NonceTooHigh 9 20 "the node says: nonce too high";
    Eviction 10 20 "the pool drops a transaction";
    FeeSpike 11 4 "the base fee rises above the cap";
    SpikeEnds 12 1000 "the base fee falls again";
    GasEmpty 13 4 "the key has nothing left to pay for gas";
    ReorgDrops 14 15 "a reorganisation drops a transaction";
    ReorgOlderAttempt 15 300 "a reorganisation includes an older attempt of a slot";
    OutcomeFlips 16 300 "the same transaction succeeds on one fork and reverts on another";
    FinalityBroken 17 1 "a reorganisation crosses finality";
    ForeignNonce 18 3 "somebody else uses a nonce of the key";
    OtherExecutes 19 30 "somebody else executes the batch";
    StaleHead 20 30 "the node's head or finalised block steps back";
    LaggingNode 21 30 "a node knows what is final, but not yet the blocks";
    EmptyLogs 22 20 "a block's logs come back empty";
    NodesContradict 23 6 "a node follows another fork";
    WrongChain 24 1 "a node of another chain answers under the name of ours";
    NodeDown 25 2 "no node answers for an hour";
    SilentNode 26 1 "a node's newest block stands still, or it does not answer until it is waited for no longer";
    RateLimited 27 20 "a node answers: too many requests";
    SignerFails 28 30 "the signer does not answer";
    SignatureLost 29 20 "the signer signs, the reply is lost";
    KeyRotation 30 1000 "another key takes over while payments are on their way";
    CommitUnclear 31 2 "a commit fails, made or not";
    TornLog 32 1 "the end of the log is torn, or a bit of it flips";
    OldBackup 33 1 "an old backup is put in the place of the store";
    TwoLeaders 34 1000 "a keeper commits that another has followed";
    LongPause 35 1 "a leader stands still for longer than its lease, and goes on";
    ClockJump 36 3 "chain time jumps by hours";
    ServerClock 36 2 "the clock of the store's server jumps";
    DuplicateRequest 38 100 "a request arrives twice, with the same or another body";
    RecipientRefused 39 80 "the token refuses one recipient";
    OverGasCap 40 1000 "a batch needs more gas than a transaction may use";
    LandsBetween 41 4 "cap, freeze or veto lands between simulation and inclusion";
    TokenPaused 42 3 "the token is paused";
    Blacklisted 43 60 "the recipient is on the token's blacklist";
    ScreeningSilent 44 100 "the question what policy and token say of payments is not answered";
    Poison 45 40 "a request or a command that cannot be read";
    NumberTaken 46 4 "another key pays something else under a number of the keeper's";
    StateGone 47 100 "the node has no state of the final block any more";
    LogsHidden 48 15 "a node leaves out what the vault logged of the keeper's payments, and is believed";
    LeaseLate 49 30 "a renewal of the lease, or its answer, comes late";
    LeaseLost 50 10 "a renewal of the lease, or its answer, is lost, or the leader is cut off from the store";
}
