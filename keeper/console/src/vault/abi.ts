// What the page asks of a vault, its lens and its token. A test holds each line to contracts/abi.
import { parseAbi } from "viem";

const BATCH = "struct Batch { uint64 firstNumber; uint16 count; uint8 tier; uint128 total; address recipient; uint40 expiresAt; bytes32 paymentsHash; bytes32 context; }";

export const VAULT = parseAbi([
  BATCH,
  "struct Vote { address signer; bytes signature; }",
  "struct Order { bytes32 context; bytes14 head; }",
  "function token() view returns (address)",
  "function unit() view returns (uint256)",
  "function hardCeiling() view returns (uint256)",
  "function policyDelay() view returns (uint32)",
  "function policyDelayFloor() view returns (uint256)",
  "function termsChangedAt() view returns (uint40)",
  "function successor() view returns (address)",
  "function threshold() view returns (uint8)",
  "function tierCount() view returns (uint8)",
  "function packedTier(uint256 index) view returns (uint256)",
  "function window(uint256 index) view returns (uint256)",
  "function headroom(uint256 tier) view returns (uint256)",
  "function hot() view returns (uint256)",
  "function signers() view returns (address[])",
  "function guardians() view returns (address[])",
  "function member(address account) view returns (uint256)",
  "function standingOf(address recipient) view returns (uint8)",
  "function stateOf(bytes32 id) view returns (uint8)",
  "function proposal(bytes32 id) view returns (uint256)",
  "function paidMask(uint64 firstNumber, uint16 count) view returns (uint256)",
  "function VERSION() view returns (string)",
  "function approve(Batch batch)",
  "function approveBySig(Batch batch, Vote[] votes)",
  "function approveChange(uint8 kind, bytes change)",
  "function approveChangeBySig(uint8 kind, bytes change, Vote[] votes)",
  "function revoke(bytes32 id)",
  "function freeze() returns (uint256 haltedUntil)",
  "function propose(Order order, bytes payments) returns (bytes32 id)",
  "function execute(Order order, bytes payments, uint256 skipMask) returns (uint256 paidMask)",
  "function executeChange(uint8 kind, bytes change)",
  "function proposeChange(uint8 kind, bytes change) returns (bytes32 id)",
  "function cancel(bytes32 id)",
  "event BatchProposed(bytes32 indexed id, address indexed proposer, Order order, bytes payments)",
  "event ChangeProposed(bytes32 indexed id, address indexed proposer, uint8 kind, bytes change)",
  "event BatchPaid(bytes32 indexed id, Order order, uint256 paidMask, bytes payments)",
  "event RecipientSet(address indexed recipient, uint8 oldStanding, uint8 standing)",
  "event RoleSet(address indexed account, uint8 indexed role, uint256 oldUntil, uint256 until)",
]);

export const LENS = parseAbi([
  BATCH,
  "struct Explanation { uint8 state; uint8 blocker; uint40 earliest; uint8 votes; uint8 required; uint40 quorumAt; uint32 delay; uint40 expiresAt; }",
  "struct Preview { uint8 refusal; uint8 tier; uint8 tierWithRoom; }",
  "function explainBatch(address vault, Batch batch) view returns (Explanation e)",
  "function preview(address vault, bytes payments) view returns (Preview[] all)",
  "function fitsAt(address vault, uint256 tier, uint256 total) view returns (uint256)",
  "function explainChange(address vault, uint8 kind, bytes change) view returns (Explanation e)",
]);

export const TOKEN = parseAbi([
  "function symbol() view returns (string)",
  "function decimals() view returns (uint8)",
  "function balanceOf(address) view returns (uint256)",
]);

/** Where `keeper deploy` puts the lens of this release, on every chain. */
export const LENS_ADDRESS = "0xA8ABf6Cad0F0e57d983174f7afD214274EAc9795";

// What a node or a lens tells beyond these is "Unknown", which never counts as ready, known or over.
export const STATES = ["None", "Proposed", "Queued", "Ready", "Executed", "Cancelled", "Expired"] as const;
export type State = (typeof STATES)[number] | "Unknown";
export const STANDINGS = ["Unknown", "Known", "Blocked"] as const;
export type Standing = (typeof STANDINGS)[number];
export const BLOCKERS = ["None", "NotProposed", "Votes", "Delay", "Frozen", "Cap", "TierGone", "Final", "TiersSettling", "Stale"] as const;
export type Blocker = (typeof BLOCKERS)[number] | "Unknown";
export const REFUSALS = ["None", "ZeroAmount", "BlockedRecipient", "AboveLimit"] as const;
export type Refusal = (typeof REFUSALS)[number] | "Unknown";
