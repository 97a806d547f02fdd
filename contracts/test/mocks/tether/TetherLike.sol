// SPDX-License-Identifier: MIT
pragma solidity 0.4.18;

/// @notice Arithmetic of the era: a failed check is INVALID, which burns all the gas given.
library Checked {
    function mul(uint256 a, uint256 b) internal pure returns (uint256) {
        if (a == 0) {
            return 0;
        }
        uint256 c = a * b;
        assert(c / a == b);
        return c;
    }

    function div(uint256 a, uint256 b) internal pure returns (uint256) {
        uint256 c = a / b;
        return c;
    }

    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        assert(b <= a);
        return a - b;
    }

    function add(uint256 a, uint256 b) internal pure returns (uint256) {
        uint256 c = a + b;
        assert(c >= a);
        return c;
    }
}

/// @notice What the token calls on its successor once it is deprecated: no answer is expected from the three verbs.
contract Successor {
    function transferByLegacy(address from, address to, uint256 value) public;
    function transferFromByLegacy(address spender, address from, address to, uint256 value) public;
    function approveByLegacy(address from, address spender, uint256 value) public;
    function balanceOf(address who) public view returns (uint256);
    function allowance(address holder, address spender) public view returns (uint256);
    function totalSupply() public view returns (uint256);
}

/// @notice Owner and pause flag share the first slot, as on mainnet.
contract Controlled {
    address public owner;
    bool public paused;

    event Pause();
    event Unpause();

    modifier onlyOwner() {
        require(msg.sender == owner);
        _;
    }

    modifier whenNotPaused() {
        require(!paused);
        _;
    }

    function Controlled() public {
        owner = msg.sender;
    }

    function transferOwnership(address newOwner) public onlyOwner {
        if (newOwner != address(0)) {
            owner = newOwner;
        }
    }

    function pause() public onlyOwner whenNotPaused {
        paused = true;
        Pause();
    }

    function unpause() public onlyOwner {
        require(paused);
        paused = false;
        Unpause();
    }
}

/// @notice The plain ledger: balances, allowances, the fee and the short-calldata check.
contract Ledger is Controlled {
    using Checked for uint256;

    uint256 public constant MAX_UINT = 2 ** 256 - 1;

    uint256 public _totalSupply; // [base units]
    mapping(address => uint256) public balances; // [base units]
    uint256 public basisPointsRate; // [basis points of the value]
    uint256 public maximumFee; // [base units]
    mapping(address => mapping(address => uint256)) public allowed; // [base units]

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// @dev Calldata shorter than the arguments is refused; nothing is padded with zeros.
    modifier hasArguments(uint256 size) {
        require(!(msg.data.length < size + 4));
        _;
    }

    // The fee is written out in both transfers: a shared function would cost gas that the real token does not spend.

    /// @dev Returns nothing. Zero address and this token are recipients like any other.
    function transfer(address to, uint256 value) public hasArguments(2 * 32) {
        uint256 fee = value.mul(basisPointsRate).div(1e4);
        if (fee > maximumFee) {
            fee = maximumFee;
        }
        uint256 net = value.sub(fee);
        balances[msg.sender] = balances[msg.sender].sub(value);
        balances[to] = balances[to].add(net);
        if (fee > 0) {
            balances[owner] = balances[owner].add(fee);
            Transfer(msg.sender, owner, fee);
        }
        Transfer(msg.sender, to, net);
    }

    /// @dev Returns nothing. The largest allowance never runs down.
    function transferFrom(address from, address to, uint256 value) public hasArguments(3 * 32) {
        uint256 allowance_ = allowed[from][msg.sender];
        uint256 fee = value.mul(basisPointsRate).div(1e4);
        if (fee > maximumFee) {
            fee = maximumFee;
        }
        if (allowance_ < MAX_UINT) {
            allowed[from][msg.sender] = allowance_.sub(value);
        }
        uint256 net = value.sub(fee);
        balances[from] = balances[from].sub(value);
        balances[to] = balances[to].add(net);
        if (fee > 0) {
            balances[owner] = balances[owner].add(fee);
            Transfer(from, owner, fee);
        }
        Transfer(from, to, net);
    }

    /// @dev Returns nothing. An allowance goes from a to b only through zero.
    function approve(address spender, uint256 value) public hasArguments(2 * 32) {
        require(value == 0 || allowed[msg.sender][spender] == 0);
        allowed[msg.sender][spender] = value;
        Approval(msg.sender, spender, value);
    }

    function balanceOf(address who) public view returns (uint256) {
        return balances[who];
    }

    function allowance(address holder, address spender) public view returns (uint256) {
        return allowed[holder][spender];
    }
}

/// @title TetherLike
/// @notice Behaves, reads storage and costs like USDT on Ethereum; built without the optimizer by scripts/build-tether.
contract TetherLike is Ledger {
    mapping(address => bool) public isBlackListed;
    string public name;
    string public symbol;
    uint256 public decimals;
    address public upgradedAddress;
    bool public deprecated;

    event AddedBlackList(address user);
    event RemovedBlackList(address user);
    event DestroyedBlackFunds(address user, uint256 balance);
    event Deprecate(address newAddress);
    event Issue(uint256 amount);
    event Redeem(uint256 amount);
    event Params(uint256 feeBasisPoints, uint256 maxFee);

    function TetherLike(uint256 initialSupply, string name_, string symbol_, uint256 decimals_) public {
        _totalSupply = initialSupply;
        balances[msg.sender] = initialSupply;
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    /// @dev Only the sender is looked up: a blacklisted recipient is paid, and cannot spend.
    function transfer(address to, uint256 value) public whenNotPaused {
        require(!isBlackListed[msg.sender]);
        if (deprecated) {
            return Successor(upgradedAddress).transferByLegacy(msg.sender, to, value);
        } else {
            return super.transfer(to, value);
        }
    }

    /// @dev The holder is looked up; neither the spender nor the recipient is.
    function transferFrom(address from, address to, uint256 value) public whenNotPaused {
        require(!isBlackListed[from]);
        if (deprecated) {
            return Successor(upgradedAddress).transferFromByLegacy(msg.sender, from, to, value);
        } else {
            return super.transferFrom(from, to, value);
        }
    }

    /// @dev Works while paused, as on mainnet.
    function approve(address spender, uint256 value) public hasArguments(2 * 32) {
        if (deprecated) {
            return Successor(upgradedAddress).approveByLegacy(msg.sender, spender, value);
        } else {
            return super.approve(spender, value);
        }
    }

    function balanceOf(address who) public view returns (uint256) {
        if (deprecated) {
            return Successor(upgradedAddress).balanceOf(who);
        } else {
            return super.balanceOf(who);
        }
    }

    function allowance(address holder, address spender) public view returns (uint256) {
        if (deprecated) {
            return Successor(upgradedAddress).allowance(holder, spender);
        } else {
            return super.allowance(holder, spender);
        }
    }

    function totalSupply() public view returns (uint256) {
        if (deprecated) {
            return Successor(upgradedAddress).totalSupply();
        } else {
            return _totalSupply;
        }
    }

    function getOwner() external view returns (address) {
        return owner;
    }

    function getBlackListStatus(address user) external view returns (bool) {
        return isBlackListed[user];
    }

    function addBlackList(address user) public onlyOwner {
        isBlackListed[user] = true;
        AddedBlackList(user);
    }

    function removeBlackList(address user) public onlyOwner {
        isBlackListed[user] = false;
        RemovedBlackList(user);
    }

    /// @dev Wipes the balance out of existence; the funds go to nobody.
    function destroyBlackFunds(address user) public onlyOwner {
        require(isBlackListed[user]);
        uint256 lost = balanceOf(user);
        balances[user] = 0;
        _totalSupply -= lost;
        DestroyedBlackFunds(user, lost);
    }

    /// @dev From here on everything is forwarded, balances included; nothing is migrated by this contract.
    function deprecate(address successor) public onlyOwner {
        deprecated = true;
        upgradedAddress = successor;
        Deprecate(successor);
    }

    /// @dev Mints to the owner.
    function issue(uint256 amount) public onlyOwner {
        require(_totalSupply + amount > _totalSupply);
        require(balances[owner] + amount > balances[owner]);
        balances[owner] += amount;
        _totalSupply += amount;
        Issue(amount);
    }

    /// @dev Burns from the owner.
    function redeem(uint256 amount) public onlyOwner {
        require(_totalSupply >= amount);
        require(balances[owner] >= amount);
        _totalSupply -= amount;
        balances[owner] -= amount;
        Redeem(amount);
    }

    /// @param newBasisPoints under 20
    /// @param newMaxFee under 50 whole tokens
    function setParams(uint256 newBasisPoints, uint256 newMaxFee) public onlyOwner {
        require(newBasisPoints < 20);
        require(newMaxFee < 50);
        basisPointsRate = newBasisPoints;
        maximumFee = newMaxFee.mul(10 ** decimals);
        Params(basisPointsRate, maximumFee);
    }
}
