use alloy::primitives::Address;
use k256::ecdsa::VerifyingKey;

/// The curve secp256k1, as `CKA_EC_PARAMS` names it: an object identifier in DER.
pub(super) const SECP256K1: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];

/// DER's tag of a string of bytes.
const OCTET_STRING: u8 = 0x04;
/// Length of an uncompressed point: its own tag, which is 4 as well, x and y.
const UNCOMPRESSED: usize = 65;

/// The address of a public key as `CKA_EC_POINT` has it: wrapped in DER as the standard says, or bare as some tokens give it.
pub(super) fn address(point: &[u8]) -> Option<Address> {
    let bare = match point {
        [OCTET_STRING, length, inner @ ..]
            if point.len() != UNCOMPRESSED && usize::from(*length) == inner.len() =>
        {
            inner
        }
        other => other,
    };
    let key = VerifyingKey::from_sec1_bytes(bare).ok()?;
    Some(Address::from_public_key(&key))
}

#[cfg(test)]
mod tests {
    use alloy::signers::local::PrivateKeySigner;
    use k256::ecdsa::SigningKey;

    use super::*;

    #[test]
    fn a_point_is_read_in_every_form_that_tokens_give_it() {
        for byte in 1..=254 {
            let key = SigningKey::from_slice(&[byte; 32]).unwrap();
            let expected = PrivateKeySigner::from_signing_key(key.clone()).address();
            for compressed in [false, true] {
                let bare = key.verifying_key().to_encoded_point(compressed);
                let bare = bare.as_bytes();
                let length = u8::try_from(bare.len()).unwrap();
                let wrapped = [&[OCTET_STRING, length], bare].concat();
                assert_eq!(address(bare), Some(expected));
                assert_eq!(address(&wrapped), Some(expected));
            }
        }
    }

    #[test]
    fn what_is_no_point_of_the_curve_has_no_address() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let point = key.verifying_key().to_encoded_point(false);
        let mut off_curve = point.as_bytes().to_vec();
        off_curve[64] ^= 1;
        let cut = &point.as_bytes()[..64];
        let mut wrong_length = vec![OCTET_STRING, 64];
        wrong_length.extend(point.as_bytes());
        for bytes in [&off_curve, cut, &wrong_length, &[], &[OCTET_STRING, 0]] {
            assert_eq!(address(bytes), None, "{bytes:?}");
        }
    }
}
