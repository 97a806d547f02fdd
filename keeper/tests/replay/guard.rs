use alloy::primitives::Address;

/// Code of a token that refuses some recipients, as an upgraded token may, and is `ledger`'s code in everything else. USDT
/// itself refuses nobody. `transfer` to one of them reverts without data; whatever else is called is delegated.
pub fn code(refused: &[Address], ledger: Address) -> Vec<u8> {
    let mut code = vec![0x5f]; // PUSH0: is the recipient one of them?
    for recipient in refused {
        code.push(0x73); // PUSH20
        code.extend_from_slice(recipient.as_slice());
        code.extend([0x60, 0x04, 0x35, 0x14, 0x17]); // CALLDATALOAD(4) EQ OR
    }
    code.extend([0x63, 0xa9, 0x05, 0x9c, 0xbb]); // PUSH4 transfer(address,uint256)
    code.extend([0x5f, 0x35, 0x60, 0xe0, 0x1c, 0x14, 0x16]); // CALLDATALOAD(0) >> 224, EQ AND
    let refuse_at = code.len();
    code.extend([0x61, 0, 0, 0x57]); // PUSH2 refuse JUMPI
    code.extend([0x36, 0x5f, 0x5f, 0x37]); // CALLDATACOPY(0, 0, CALLDATASIZE)
    code.extend([0x5f, 0x5f, 0x36, 0x5f, 0x73]); // output none, input all
    code.extend_from_slice(ledger.as_slice());
    code.extend([0x5a, 0xf4]); // GAS DELEGATECALL
    code.extend([0x3d, 0x5f, 0x5f, 0x3e]); // RETURNDATACOPY(0, 0, RETURNDATASIZE)
    let succeed_at = code.len();
    code.extend([0x61, 0, 0, 0x57]); // PUSH2 succeed JUMPI
    code.extend([0x3d, 0x5f, 0xfd]); // REVERT(0, RETURNDATASIZE)
    aim(&mut code, succeed_at);
    code.extend([0x5b, 0x3d, 0x5f, 0xf3]); // succeed: RETURN(0, RETURNDATASIZE)
    aim(&mut code, refuse_at);
    code.extend([0x5b, 0x5f, 0x5f, 0xfd]); // refuse: REVERT(0, 0)
    code
}

/// Lets the jump at `from` go to the end of the code.
fn aim(code: &mut [u8], from: usize) {
    let target = u16::try_from(code.len()).unwrap();
    code[from + 1..from + 3].copy_from_slice(&target.to_be_bytes());
}
