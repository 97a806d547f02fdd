// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hot} from "../types/Hot.sol";
import {Member} from "../types/Member.sol";
import {PackedTier} from "../types/PackedTier.sol";
import {Proposal} from "../types/Proposal.sol";
import {Batch, ChangeKind, Order, Refusal, Role, Standing, State, Tier, Vote} from "../types/VaultTypes.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title IVault
/// @notice A vault holds one token on one chain and can do two things: pay that token to recipients, and change its own
/// policy. It has no owner, proxy, module, arbitrary call or token allowance.
///
/// Payments leave in batches. A batch names the tier of the release policy that it is paid under, and is charged to
/// that tier's strict rolling 24-hour cap. Automatic tiers are paid by the keeper at once; the others wait for signers
/// and time. Each payment has a number, and a number is paid at most once, ever.
///
/// Signers vote by calls of their own, or by signatures that anybody brings: EIP-712 structs that name the signer, the
/// signer epoch and what is approved. A call states a batch by a payment order and its packed payments; the vault derives the
/// rest of the header, so that what is paid is what was approved, or else has another id, under which nothing is.
///
/// What loosens waits. A change that only tightens takes effect with the vote that brings its quorum.
///
/// Assumptions about the token, each as weak as USDT needs it:
/// - `transfer` may return nothing, `true`, `false` (also on success), or garbage; its answer is ignored.
/// - `transfer` may revert for one recipient, for all, or from some time on (pause, blacklist of the vault).
/// - `transfer` may call anybody, the vault included; every mutating call of the vault is locked meanwhile.
/// - `transfer` may burn the gas it is given; then the whole batch reverts.
/// - A fee is taken out of the amount: the recipient gets less, the vault loses exactly the amount. A token that takes
///   more, or less, from the vault than what was paid makes the batch revert.
/// - `balanceOf` answers with the vault's true balance, and nobody can lower that balance but the vault, or the
///   token's issuer. A token whose issuer takes the balance away (USDT's `destroyBlackFunds`) is beyond any vault.
/// - One base unit is one base unit: balances do not rebase in the middle of a transaction.
///
/// Times are seconds of block time, amounts are base units of the token. Every revert is a custom error; besides those
/// below, `Policy`, `TokenCall`, `TypedData` and OpenZeppelin's `SafeCast` declare what they revert with. Arguments that
/// are not valid ABI revert without data.
interface IVault is IERC165, IERC5267 {
    // ── Events: together they rebuild the state ──────────────────────────────────────────────────────────────────

    /// @notice The vault was created. Zero, the vault and the token are blocked recipients from here on.
    /// @param token The token.
    /// @param unit Accounting grain. [base units]
    /// @param hardCeiling Most that all caps may add up to. [base units]
    /// @param policyDelayFloor Least policy delay. [seconds]
    event VaultCreated(address indexed token, uint256 unit, uint256 hardCeiling, uint256 policyDelayFloor);
    /// @notice A batch awaits approval. With its payments, so that logs alone rebuild it. A signer that proposes votes.
    /// @param id Id of the batch.
    /// @param proposer Who called; of a proposal by signatures, the first signer.
    /// @param order What the header cannot be derived from.
    /// @param payments The packed payments.
    event BatchProposed(bytes32 indexed id, address indexed proposer, Order order, bytes payments);
    /// @notice A policy change awaits approval. A signer that proposes votes.
    /// @param id Id of the change.
    /// @param proposer Who called; of a proposal by signatures, the first signer.
    /// @param kind Which struct `change` is.
    /// @param change ABI encoding of that struct.
    event ChangeProposed(bytes32 indexed id, address indexed proposer, ChangeKind kind, bytes change);
    /// @notice A signer's vote counts for `id`. The first vote of a new signer set drops those of the old one. Of a batch paid by
    /// signatures at once, each vote.
    /// @param id Id of the proposal.
    /// @param signer Who voted.
    event Approved(bytes32 indexed id, address indexed signer);
    /// @notice The clock started at this block's time, by a proposal that needs no more votes or by the vote that brought
    /// quorum, for which there is no `Approved`. Of a proposal that policy has made stricter, also by the vote that then suffices.
    /// @param id Id of the proposal.
    /// @param caller Who proposed, or whose vote it was.
    event Queued(bytes32 indexed id, address indexed caller);
    /// @notice A signer took its vote back if there was one; signatures of its signer set count no more.
    /// @param id Id of the proposal, or of what may still be proposed.
    /// @param signer Whose vote it was.
    event Revoked(bytes32 indexed id, address indexed signer);
    /// @notice Too few votes are left: the clock stopped.
    /// @param id Id of the proposal.
    event Unqueued(bytes32 indexed id);
    /// @notice A guardian vetoed `id`.
    /// @param id Id of the proposal.
    /// @param guardian Who vetoed.
    event Cancelled(bytes32 indexed id, address indexed guardian);
    /// @notice Payments of a batch that was never proposed left the vault: an automatic one, or one paid by signatures. With the
    /// payments, so that logs alone rebuild it.
    /// @param id Id of the batch.
    /// @param order What the header cannot be derived from; its tier was charged.
    /// @param paidMask Bit `i` is set if this call paid number `firstNumber + i`.
    /// @param payments The packed payments.
    event BatchPaid(bytes32 indexed id, Order order, uint256 paidMask, bytes payments);
    /// @notice Payments of a proposed batch left the vault; its `BatchProposed` has them. None, if all were paid elsewhere.
    /// The proposal is executed once all its numbers are paid.
    /// @param id Id of the batch.
    /// @param firstNumber Number of the batch's first payment.
    /// @param paidMask Bit `i` is set if this call paid number `firstNumber + i`.
    /// @param total Sum that left. [base units]
    event BatchExecuted(bytes32 indexed id, uint256 firstNumber, uint256 paidMask, uint256 total);
    /// @notice The token refused one payment, which changed nothing for the others and can be tried again.
    /// @param id Id of the batch.
    /// @param number The payment's.
    /// @param returned First 32 bytes of what the token returned.
    event PaymentFailed(bytes32 indexed id, uint64 number, bytes32 returned);
    /// @notice One payment does not fit the batch's tier now and was not tried.
    /// @param id Id of the batch.
    /// @param number The payment's.
    /// @param refusal Why.
    event PaymentRefused(bytes32 indexed id, uint64 number, Refusal refusal);
    /// @notice A policy change took effect.
    /// @param id Id of the change.
    /// @param kind What it changed; the events after this one say how.
    event ChangeExecuted(bytes32 indexed id, ChangeKind kind);
    /// @notice Nothing leaves before `haltedUntil`.
    /// @param party Who froze.
    /// @param oldHaltedUntil End of the freeze before; past or 0 if there was none.
    /// @param haltedUntil First second at which payments flow again.
    /// @param freezeAgainAt When the same party may freeze again.
    event Frozen(address indexed party, uint256 oldHaltedUntil, uint256 haltedUntil, uint256 freezeAgainAt);
    /// @notice The freeze ended early.
    /// @param oldHaltedUntil When it would have ended.
    event Unfrozen(uint256 oldHaltedUntil);
    /// @notice The recipient book changed.
    /// @param recipient Of the book.
    /// @param oldStanding Its standing before.
    /// @param standing Its standing now.
    event RecipientSet(address indexed recipient, Standing oldStanding, Standing standing);
    /// @notice A role was granted until a time, or taken.
    /// @param account Whose role.
    /// @param role Which.
    /// @param oldUntil End of the role before; 0 for none.
    /// @param until First second without the role; 0 for none.
    event RoleSet(address indexed account, Role indexed role, uint256 oldUntil, uint256 until);
    /// @notice The signer set and the threshold changed: votes of the set before count no more.
    /// @param epoch Counts signer sets from 1.
    /// @param oldSigners The set before.
    /// @param signers The set now, in voting order.
    /// @param oldThreshold Approvals that a policy change needed.
    /// @param threshold Approvals that it needs now.
    event SignersSet(uint256 epoch, address[] oldSigners, address[] signers, uint256 oldThreshold, uint256 threshold);
    /// @notice A row of the release policy was written; one that is all zero does not exist. Unless at creation or by
    /// a change that only tightens, the smaller of the two caps is in force for 28 hours.
    /// @param tier Index of the row.
    /// @param oldTier The row before.
    /// @param newTier The row now.
    event TierSet(uint256 indexed tier, Tier oldTier, Tier newTier);
    /// @notice The delay of policy changes changed.
    /// @param oldDelay Before. [seconds]
    /// @param delay Now. [seconds]
    event PolicyDelaySet(uint256 oldDelay, uint256 delay);
    /// @notice The successor changed.
    /// @param oldSuccessor Before; zero for none.
    /// @param successor Now; zero for none.
    event SuccessorSet(address oldSuccessor, address successor);
    /// @notice The vault's balance of another token went to the successor.
    /// @param token The other token.
    /// @param successor Who got it.
    /// @param arrived What the successor has more. [base units of that token]
    /// @param left What the vault still has. [base units of that token]
    event Swept(address indexed token, address indexed successor, uint256 arrived, uint256 left);

    // ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The token of a vault must be a contract.
    error VaultTokenInvalid(address token);
    /// @notice A signer, guardian, role holder, recipient or successor is zero, the vault, the token, or listed twice.
    error VaultAddressInvalid(address account);
    /// @notice The caller holds no keeper's role now.
    error VaultNotKeeper(address caller);
    /// @notice The caller holds no guardian's role now.
    error VaultNotGuardian(address caller);
    /// @notice The caller is not a signer now.
    error VaultNotSigner(address caller);
    /// @notice The caller is neither proposer nor signer now.
    error VaultNotProposer(address caller);
    /// @notice The caller is neither keeper nor signer now.
    error VaultNotExecutor(address caller);
    /// @notice The caller is neither guardian nor signer now.
    error VaultNotFreezer(address caller);
    /// @notice Only the keeper's and the proposer's role can be revoked at once.
    error VaultRoleNotRevocable(Role role);
    /// @notice The role is not held, so there is nothing to take.
    error VaultRoleNotHeld(address account, Role role);
    /// @notice A role change grants only the keeper's or the proposer's role; guardians have a change of their own.
    error VaultRoleNotGrantable(Role role);

    /// @notice The vault is calling a token; nothing can be entered meanwhile.
    error VaultLocked();
    /// @notice Nothing leaves before `haltedUntil`.
    error VaultFrozen(uint256 haltedUntil);
    /// @notice The party may freeze again at `freezeAgainAt`.
    error VaultFreezeCoolingDown(address party, uint256 freezeAgainAt);
    /// @notice The change names a freeze that ends at `stated`, the vault's ends at `actual`.
    error VaultUnfreezeStale(uint256 stated, uint256 actual);

    /// @notice `expiresAt` has passed.
    error VaultExpired(uint256 expiresAt, uint256 time);
    /// @notice `expiresAt` is outside `earliest..latest`: too little life for delay and settling, or too much.
    error VaultExpiryOutOfRange(uint256 expiresAt, uint256 earliest, uint256 latest);
    /// @notice `payments` is not `48 × count` bytes of 1 to 256 payments; or `count` is outside 1..256.
    error VaultCountInvalid(uint256 count, uint256 paymentsBytes);
    /// @notice Numbers run past `limit`, the first number that the call may not use.
    error VaultNumberOutOfRange(uint256 firstNumber, uint256 count, uint256 limit);
    /// @notice The tier does not exist; there are `tiers`.
    error VaultTierUnknown(uint256 tier, uint256 tiers);
    /// @notice `pay` takes automatic tiers only: this one needs approvals or a delay, or does not exist.
    error VaultTierNotAutomatic(uint256 tier);
    /// @notice A proposal cannot name an automatic tier, which is the keeper's alone.
    error VaultTierAutomatic(uint256 tier);
    /// @notice The tier has a delay, so that nothing is paid by signatures at once. [seconds]
    error VaultTierDelayed(uint256 tier, uint256 delay);
    /// @notice Payment `index` cannot be paid under the tier. `limit` is the tier's for that recipient. [base units]
    error VaultPaymentRefused(uint256 index, address recipient, uint256 amount, uint256 limit, Refusal refusal);
    /// @notice Every payment of the batch is paid or skipped.
    error VaultNothingToPay(bytes32 id);
    /// @notice The token refused every payment that was tried; `returned` is its answer to the last.
    error VaultNothingPaid(bytes32 id, bytes32 returned);
    /// @notice The payments need more than the tier's headroom. [base units, `requested` rounded up to units]
    error VaultCapExceeded(uint256 tier, uint256 requested, uint256 headroom);
    /// @notice The vault holds less than the payments need. [base units]
    error VaultBalanceTooLow(uint256 requested, uint256 balance);
    /// @notice The token took another sum from the vault than what was paid. [base units]
    error VaultBalanceMismatch(uint256 expected, uint256 actual);
    /// @notice Payment `index` failed with too little gas to blame the token: a transfer must have had 1,000,000, and may not have
    /// used up all it got. Send the batch with more, or without that payment.
    error VaultGasTooLow(uint256 index, uint256 gasBefore, uint256 gasAfter);

    /// @notice The proposal exists.
    error VaultAlreadyProposed(bytes32 id, State state);
    /// @notice The call does not apply to a proposal in this state.
    error VaultStateInvalid(bytes32 id, State state);
    /// @notice The signer's vote counts already.
    error VaultAlreadyApproved(bytes32 id, address signer);
    /// @notice The signer has no vote to take back, and its signatures count no more already.
    error VaultNotApproved(bytes32 id, address signer);
    /// @notice The call brings no vote.
    error VaultVotesMissing();
    /// @notice The votes are fewer than the tier asks for.
    error VaultVotesShort(bytes32 id, uint256 votes, uint256 required);
    /// @notice The signature is not the signer's, for this content in this signer epoch.
    error VaultSignatureInvalid(address signer);
    /// @notice The signer revoked: only its own call votes again.
    error VaultVoteRevoked(bytes32 id, address signer);
    /// @notice Nobody can veto a change of guardians, an unfreeze, or a change that only tightens.
    error VaultNotVetoable(bytes32 id);
    /// @notice Charges made under the old caps have not all left the windows; tiers may change again at `until`.
    error VaultTiersCoolingDown(uint256 until);
    /// @notice The change starts from tiers that were written at `stated`, the vault's were written at `actual`.
    error VaultTiersStale(uint256 stated, uint256 actual);
    /// @notice The vault's own token is never swept.
    error VaultSweepOfToken(address token);
    /// @notice The sweep did not take effect: no successor, nothing to sweep, or nothing arrived.
    error VaultSweepFailed(address token, address successor, uint256 balance);
    /// @notice The change moves the recipient from `stated`, but it stands at `actual`.
    error VaultStandingStale(address recipient, Standing stated, Standing actual);
    /// @notice The change moves the role's end from `stated`, but it ends at `actual`.
    error VaultRoleStale(address account, Role role, uint256 stated, uint256 actual);

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Pays an automatic batch. Keeper only; numbers below 2^63 only.
    /// @dev Payments that are paid already, do not fit the tier now, or that the token refuses stay open and change
    /// nothing for the others. Those tried must fit the cap together. Reverts if none is paid.
    /// @param order The payment order.
    /// @param payments The packed payments, 48 bytes each.
    /// @return paidMask Bit `i` is set if payment `i` was paid now.
    function pay(Order calldata order, bytes calldata payments) external returns (uint256 paidMask);

    /// @notice Pays a batch at once in a tier that asks for approvals but no delay, by the signatures of enough signers. Keeper or
    /// signer. Leaves no proposal behind; reverts if there is one.
    /// @dev Otherwise as `pay`: what is not paid stays open for as long as the order lives and the votes are not revoked.
    /// @param order The payment order.
    /// @param payments The packed payments, 48 bytes each.
    /// @param votes Of different signers; one that is there twice counts once.
    /// @return paidMask Bit `i` is set if payment `i` was paid now.
    function payBySig(Order calldata order, bytes calldata payments, Vote[] calldata votes)
        external
        returns (uint256 paidMask);

    /// @notice Proposes a batch in a tier that is not automatic. Proposer or signer; a signer's call is also its vote.
    /// @dev Every payment must fit the tier now. Numbers are not reserved: the first payment of a number wins.
    /// @param order The payment order.
    /// @param payments The packed payments, 48 bytes each.
    /// @return id EIP-712 digest of the header.
    function propose(Order calldata order, bytes calldata payments) external returns (bytes32 id);

    /// @notice Proposes a batch with signers' votes. Anybody, with at least one vote: the first signer is the proposer.
    /// @param order The payment order.
    /// @param payments The packed payments, 48 bytes each.
    /// @param votes Signed votes for the batch.
    /// @return id EIP-712 digest of the header.
    function proposeBySig(Order calldata order, bytes calldata payments, Vote[] calldata votes)
        external
        returns (bytes32 id);

    /// @notice Approves a proposed batch. Signer only.
    /// @dev The vote that starts the clock needs `delay + 29 h` of life left.
    /// @param batch The header, as it was proposed.
    function approve(Batch calldata batch) external;

    /// @notice Brings signers' votes for a proposed batch. Anybody.
    /// @dev Votes that count already are passed over; reverts if none is new.
    /// @param batch The header, as it was proposed.
    /// @param votes Signed votes for it.
    function approveBySig(Batch calldata batch, Vote[] calldata votes) external;

    /// @notice Pays a proposed batch once it is ready. Keeper or signer, as often as payments are open.
    /// @dev As `pay` does with what is paid, does not fit or is refused. Executed for good once all its numbers are paid.
    /// @param order The payment order, as it was proposed.
    /// @param payments The packed payments, as they were proposed.
    /// @param skipMask Bit `i` set: payment `i` is not tried.
    /// @return paidMask Bit `i` is set if payment `i` was paid now.
    function execute(Order calldata order, bytes calldata payments, uint256 skipMask)
        external
        returns (uint256 paidMask);

    // ── Policy changes ───────────────────────────────────────────────────────────────────────────────────────────
    //
    // A change that by what it states only tightens takes effect in the call whose vote brings its quorum: of each field the
    // stricter of what is then and what it states. It needs no delay, lets nothing settle and cannot be vetoed. Such are: a
    // `TightenChange`; recipients to Blocked, or from Known to Unknown; a role to an earlier end.
    // The rows of a `TightenChange` must be a policy by themselves, and hold for whatever tiers there are when it takes effect: each
    // tier by the row of its index, tiers beyond the last row by that row, and rows without a tier for none. An automatic tier stays
    // automatic, so that approvals and delay are of no effect on it. If no tier changes, nothing is written.

    /// @notice Proposes a policy change. Proposer or signer; a signer's call is also its vote.
    /// @dev What can never take effect is refused with the error that it would end in.
    /// @param kind Which struct `change` is.
    /// @param change ABI encoding of that struct.
    /// @return id EIP-712 digest of the struct.
    function proposeChange(ChangeKind kind, bytes calldata change) external returns (bytes32 id);

    /// @notice Proposes a policy change with signers' votes. Anybody, with at least one vote: the first signer is the proposer.
    /// @param kind Which struct `change` is.
    /// @param change ABI encoding of that struct.
    /// @param votes Signed votes for the change.
    /// @return id EIP-712 digest of the struct.
    function proposeChangeBySig(ChangeKind kind, bytes calldata change, Vote[] calldata votes)
        external
        returns (bytes32 id);

    /// @notice Approves a proposed policy change. Signer only.
    /// @param kind Which struct `change` is.
    /// @param change ABI encoding of that struct.
    function approveChange(ChangeKind kind, bytes calldata change) external;

    /// @notice Brings signers' votes for a proposed policy change. Anybody.
    /// @dev Votes that count already are passed over; reverts if none is new.
    /// @param kind Which struct `change` is.
    /// @param change ABI encoding of that struct.
    /// @param votes Signed votes for it.
    function approveChangeBySig(ChangeKind kind, bytes calldata change, Vote[] calldata votes) external;

    /// @notice Puts a policy change into effect once it is ready. Keeper or signer; works while frozen, but for a sweep.
    /// @param kind Which struct `change` is.
    /// @param change ABI encoding of that struct.
    function executeChange(ChangeKind kind, bytes calldata change) external;

    // ── Any proposal ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Takes the caller's vote back, and its signatures of this signer epoch for good: only a new call votes again.
    /// Stops the clock if too few votes are left. Works before anything is proposed under the id too. Signer only.
    /// @param id Id of the proposal.
    function revoke(bytes32 id) external;

    /// @notice Vetoes a proposal. Guardian only; not for a change of guardians, an unfreeze, or a change that only tightens.
    /// @param id Id of the proposal.
    function cancel(bytes32 id) external;

    // ── Instant tightening ───────────────────────────────────────────────────────────────────────────────────────

    /// @notice Stops all outflow for the policy delay and two days. Guardian or signer, each again only that long after its end.
    /// @return haltedUntil First second at which payments flow again.
    function freeze() external returns (uint256 haltedUntil);

    /// @notice Blocks a recipient. Guardian only.
    /// @param recipient Whom nothing is paid any more.
    function blockRecipient(address recipient) external;

    /// @notice Takes the keeper's or the proposer's role. Guardian only.
    /// @param account Whose role.
    /// @param role Keeper or Proposer.
    function revokeRole(address account, Role role) external;

    // ── What may be paid now ─────────────────────────────────────────────────────────────────────────────────────

    /// @notice What may still leave under a tier now. [base units]
    /// @param tier Index of the tier.
    /// @return Room in its cap; 0 if there is no such tier. [base units]
    function headroom(uint256 tier) external view returns (uint256);

    /// @notice Whether the number is paid.
    /// @param number Of a payment.
    /// @return Whether it is paid.
    function isPaid(uint64 number) external view returns (bool);

    /// @notice Bit `i` is set if number `firstNumber + i` is paid, for `count` up to 256 numbers.
    /// @param firstNumber The first.
    /// @param count How many, 1 to 256.
    /// @return The mask.
    function paidMask(uint64 firstNumber, uint16 count) external view returns (uint256);

    // ── Proposals ────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Id of a batch: the EIP-712 digest of its header.
    /// @param batch The header.
    /// @return Its id.
    function hashBatch(Batch calldata batch) external view returns (bytes32);

    /// @notice Id of a policy change: the EIP-712 digest of its struct.
    /// @param kind Which struct `change` is.
    /// @param change ABI encoding of that struct.
    /// @return Its id.
    function hashChange(ChangeKind kind, bytes calldata change) external view returns (bytes32);

    /// @notice State of a proposal now.
    /// @param id Id of the proposal.
    /// @return Its state, by the policy and the signers of now.
    function stateOf(bytes32 id) external view returns (State);

    /// @notice The packed proposal; zero if never proposed.
    /// @param id Id of the proposal.
    /// @return Its word.
    function proposal(bytes32 id) external view returns (Proposal);

    // ── Policy ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The token.
    /// @return Its address.
    function token() external view returns (address);

    /// @notice Accounting grain. [base units]
    /// @return Base units that limits and caps are multiples of.
    function unit() external view returns (uint256);

    /// @notice Most that all caps may add up to. [base units]
    /// @return The ceiling. [base units]
    function hardCeiling() external view returns (uint256);

    /// @notice Least policy delay. [seconds]
    /// @return The floor. [seconds]
    function policyDelayFloor() external view returns (uint256);

    /// @notice Freeze, signer epoch, last ordinary change of tiers and tier 0, packed.
    /// @return The word.
    function hot() external view returns (Hot);

    /// @notice A row of the release policy, packed; zero if there is none.
    /// @param index Of the tier.
    /// @return The row.
    function packedTier(uint256 index) external view returns (PackedTier);

    /// @notice How many tiers there are.
    /// @return 1 to 4.
    function tierCount() external view returns (uint8);

    /// @notice Delay of policy changes. [seconds]
    /// @return The delay. [seconds]
    function policyDelay() external view returns (uint32);

    /// @notice When the tiers were last written; later each time, also within a second, so that it names one state of them. [seconds]
    /// @return The time.
    function termsChangedAt() external view returns (uint40);

    /// @notice Approvals that a policy change needs.
    /// @return Approvals.
    function threshold() external view returns (uint8);

    /// @notice The rolling window of a tier, as `RollingCap` packs it. [units]
    /// @param index Of the tier.
    /// @return The window as of its last charge.
    function window(uint256 index) external view returns (uint256);

    /// @notice Roles and voting right of an address, packed.
    /// @param account Whose.
    /// @return The word.
    function member(address account) external view returns (Member);

    /// @notice The signers, in voting order.
    /// @return Their addresses; bit `i` of a vote is the `i`th.
    function signers() external view returns (address[] memory);

    /// @notice The guardians last appointed, whether or not their time is over.
    /// @return Their addresses.
    function guardians() external view returns (address[] memory);

    /// @notice What the recipient book says of an address. Zero, the vault and the token are blocked for good.
    /// @param recipient Of the book.
    /// @return Its standing.
    function standingOf(address recipient) external view returns (Standing);

    /// @notice A row of the release policy. Reverts if there is none.
    /// @param index Of the tier.
    /// @return The row.
    function tier(uint256 index) external view returns (Tier memory);

    /// @notice Where sweeps of other tokens go; zero if not announced.
    /// @return Its address.
    function successor() external view returns (address);

    /// @notice Version of the contract and of its EIP-712 domain.
    /// @return The version.
    function VERSION() external view returns (string memory);
}
