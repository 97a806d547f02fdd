// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice Debits another sum than it was asked to, as deflationary and badly rounding tokens do.
contract SkimToken is TestToken {
    enum Skim {
        None, // exactly what was asked
        More, // moves `skim` more, all of it to the recipient
        Less, // moves `skim` less
        FeeOnTop, // moves what was asked and charges the sender `skim` besides
        FeeInside // debits what was asked; the recipient gets `skim` less
    }

    address public constant FEE_COLLECTOR = address(0xFEE);

    Skim public mode;
    uint256 public skim; // [base units]

    constructor() TestToken("Skim", "SKIM") {}

    function setSkim(Skim mode_, uint256 skim_) external {
        mode = mode_;
        skim = skim_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (mode == Skim.More) return super.transfer(to, value + skim);
        if (mode == Skim.Less) return super.transfer(to, value - skim);
        if (mode == Skim.FeeOnTop) super.transfer(FEE_COLLECTOR, skim);
        if (mode == Skim.FeeInside) {
            super.transfer(FEE_COLLECTOR, skim);
            return super.transfer(to, value - skim);
        }
        return super.transfer(to, value);
    }
}
