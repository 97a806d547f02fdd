// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {OrderHead} from "./OrderHead.sol";

// The vault's vocabulary. Amounts are base units of the token, times are seconds.

/// @notice The header of a batch: its EIP-712 struct, what a signer approves and what every call about it carries.
/// @param firstNumber Number of the first payment; payment `i` has number `firstNumber + i`.
/// @param count Payments in the batch, 1 to 256.
/// @param tier Row of the release policy that the batch is paid under.
/// @param total Sum of all amounts. [base units]
/// @param recipient The sole payee when `count == 1`, else zero.
/// @param expiresAt First second at which nothing of the batch can be paid any more.
/// @param paymentsHash keccak256 of the packed payments (48 bytes each: 20 recipient, 12 amount, 16 ref).
/// @param context Commitment to the off-chain policy decision and the keeper's log head; opaque to the vault.
struct Batch {
    uint64 firstNumber;
    uint16 count;
    uint8 tier;
    uint128 total;
    address recipient;
    uint40 expiresAt;
    bytes32 paymentsHash;
    bytes32 context;
}

/// @notice A payment order: what a call states of a batch. The rest of its header follows from the payments.
/// @dev The types and their order give `pay`, `propose` and `execute` selectors that the compiled vault finds early.
/// @param context Opaque to the vault, as in the header.
/// @param head First number, expiry and tier, packed: two words less in every call and log. [8, 5 and 1 bytes]
struct Order {
    bytes32 context;
    OrderHead head;
}

/// @notice A signer's vote made off chain, over the EIP-712 struct `Approval` (or `SignersApproval` and so on) that names the
/// signer, the signer epoch and the content.
/// @param signer Whose vote.
/// @param signature ECDSA signature of 65 bytes, or what the signer's ERC-1271 contract takes for one.
struct Vote {
    address signer;
    bytes signature;
}

/// @notice A row of the release policy.
/// @param maxKnown Largest payment to a known recipient. [base units, a multiple of the unit]
/// @param maxUnknown Largest payment to an unknown recipient; 0 means none. [base units, a multiple of the unit]
/// @param cap Most that leaves under this tier in any 24 hours. [base units, a multiple of the unit]
/// @param approvals Signers that must approve; 0 with `delay` 0 makes the tier automatic.
/// @param delay Seconds between quorum and execution.
struct Tier {
    uint128 maxKnown;
    uint128 maxUnknown;
    uint128 cap;
    uint8 approvals;
    uint32 delay;
}

/// @notice What the recipient book says of an address.
enum Standing {
    Unknown,
    Known,
    Blocked
}

/// @notice The hot roles. No role administers another.
/// @dev Keeper pays automatic batches and executes ready ones; Proposer proposes; Guardian only stops things.
enum Role {
    Keeper,
    Proposer,
    Guardian
}

/// @notice Lifecycle of a proposal. Executed, Cancelled and Expired are final.
enum State {
    None,
    Proposed,
    Queued,
    Ready,
    Executed,
    Cancelled,
    Expired
}

/// @notice Why one payment is not paid.
enum Refusal {
    None,
    ZeroAmount,
    BlockedRecipient,
    AboveLimit
}

/// @notice What keeps a proposal from being executed now.
enum Blocker {
    None,
    NotProposed,
    Votes,
    Delay,
    Frozen,
    Cap,
    TierGone,
    Final,
    TiersSettling,
    Stale
}

/// @notice A role granted until a time.
struct Grant {
    address account;
    Role role;
    uint40 until;
}

/// @notice Everything a vault is created with. Fields named as in the change that later alters them.
/// @param token The one token the vault holds and pays; its `balanceOf` must answer.
/// @param unit Accounting grain of limits and caps; immutable. [base units]
/// @param hardCeiling Most that the caps of all tiers may ever add up to; immutable. [base units]
/// @param policyDelayFloor Least policy delay that can ever be set; immutable. [seconds]
/// @param policyDelay Delay of policy changes. [seconds]
/// @param threshold Approvals that a policy change needs.
/// @param signers Who approves.
/// @param tiers The release policy, loosest tier first.
/// @param guardians Who may stop things; at least one.
/// @param guardiansUntil First second without the guardians' role.
/// @param grants Keepers and proposers, each once, with an end that is not yet past.
/// @param known Recipients that are known from the start.
/// @param successor Where sweeps of other tokens go; zero for none yet.
struct Configuration {
    address token;
    uint128 unit;
    uint128 hardCeiling;
    uint32 policyDelayFloor;
    uint32 policyDelay;
    uint8 threshold;
    address[] signers;
    Tier[] tiers;
    address[] guardians;
    uint40 guardiansUntil;
    Grant[] grants;
    address[] known;
    address successor;
}

/// @notice The kinds of policy change; each has a struct of its own below.
enum ChangeKind {
    Signers,
    Tiers,
    Recipients,
    Role,
    Guardians,
    Unfreeze,
    Successor,
    Sweep,
    Tighten
}

// Every change ends in `nonce`, which keeps equal changes apart, and `expiresAt`, its first dead second. What can be
// tightened at once (tiers, a role, a standing, a freeze) is changed from a stated old value, so that a change approved
// earlier does not undo a later tightening, unless the value has come back. A change that only tightens says so by what is signed. It takes effect with the
// vote that brings its quorum, and then of each field the stricter of what is and what it states.

/// @notice Replaces the signer set and its threshold; every vote given so far counts no more.
struct SignersChange {
    address[] signers;
    uint8 threshold;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Replaces the release policy and the policy delay, if the tiers were last written at `oldTermsChangedAt`.
struct TiersChange {
    Tier[] tiers;
    uint32 policyDelay;
    uint40 oldTermsChangedAt;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Moves the listed recipients from one standing to another; at once, if to Blocked or from Known to Unknown.
struct RecipientsChange {
    address[] recipients;
    Standing oldStanding;
    Standing standing;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Moves the end of the keeper's or the proposer's role of an account; 0 is no role. At once, if to an earlier end.
struct RoleChange {
    address account;
    Role role;
    uint40 oldUntil;
    uint40 until;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Replaces the guardians. Cannot be vetoed.
struct GuardiansChange {
    address[] guardians;
    uint40 until;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Ends the freeze that lasts until exactly `haltedUntil`. Cannot be vetoed.
struct UnfreezeChange {
    uint40 haltedUntil;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Announces where sweeps go.
struct SuccessorChange {
    address successor;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Sends the vault's whole balance of another token to the successor.
struct SweepChange {
    address token;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice Tightens the release policy at once: each limit and cap to the smaller, approvals and delay to the larger, of what is
/// and what is stated. Automatic tiers keep approvals and delay of 0; tiers beyond the last row stated are held to that.
struct TightenChange {
    Tier[] tiers;
    uint64 nonce;
    uint40 expiresAt;
}

/// @notice The standing of one address in the vault.
/// @param keeperUntil First second without the role; 0 for never granted. The same for the other two.
/// @param freezeAgainAt When the party may freeze again.
/// @param isSigner Whether its votes count now.
struct Party {
    uint40 keeperUntil;
    uint40 proposerUntil;
    uint40 guardianUntil;
    uint40 freezeAgainAt;
    bool isSigner;
}

/// @notice A proposal as the vault sees it now.
/// @param state Where it stands.
/// @param blocker What it waits for.
/// @param earliest First second at which it can be executed if only time passes; 0 when time alone does not help, also
/// because it is dead by then.
/// @param votes Approvals that count now.
/// @param required Approvals that execution needs now.
/// @param quorumAt When the vote came that started the clock; 0 if it is not running.
/// @param delay Delay that execution keeps from `quorumAt`. [seconds]
/// @param expiresAt First second at which the proposal is dead.
struct Explanation {
    State state;
    Blocker blocker;
    uint40 earliest;
    uint8 votes;
    uint8 required;
    uint40 quorumAt;
    uint32 delay;
    uint40 expiresAt;
}

/// @notice What the release policy says of one payment now.
/// @param refusal Why no tier takes it; `None` if one does.
/// @param tier Lowest tier whose limits it fits; 255 for none.
/// @param tierWithRoom Lowest tier that it fits and whose cap has room for it alone; 255 for none now.
struct Preview {
    Refusal refusal;
    uint8 tier;
    uint8 tierWithRoom;
}
