"""A Key Management Service for tests: moto's server on a free port, which it prints.

moto 5.2 takes no notice of MessageType and hashes a digest once more, which AWS does not: it signs the digest. Told
`digests`, this server signs as AWS does; told `hashes`, it is moto as it is. While a file `refusal` lies in its folder, it
answers requests for signatures with the error that the file names. A second argument is the private key of every key of
secp256k1, in hexadecimal.
"""

import base64
import json
import os
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.core.exceptions import JsonRESTError
from moto.kms import utils
from moto.kms.responses import KmsResponse
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

sign_as_moto = KmsResponse.sign


class GivenKey(utils.ECDSAPrivateKey):
    def __init__(self, key_spec):
        super().__init__(key_spec)
        if key_spec == "ECC_SECG_P256K1" and len(sys.argv) > 2:
            self.private_key = ec.derive_private_key(int(sys.argv[2], 16), ec.SECP256K1())


def sign(self):
    if os.path.exists("refusal"):
        with open("refusal") as file:
            raise JsonRESTError(file.read(), "so the test wants it")
    if sys.argv[1] == "hashes" or self._get_param("MessageType") != "DIGEST":
        return sign_as_moto(self)
    # For its checks of key and state; what it signs is not used.
    answer = json.loads(sign_as_moto(self))
    key = self.kms_backend.describe_key(self._get_param("KeyId"))
    digest = base64.b64decode(json.loads(self.body)["Message"])
    signature = key.private_key.private_key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    answer["Signature"] = base64.b64encode(signature).decode()
    return json.dumps(answer)


KmsResponse.sign = sign
utils.ECDSAPrivateKey = GivenKey
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
