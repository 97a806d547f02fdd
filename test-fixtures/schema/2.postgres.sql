-- The keeper's tables. Written so that SQLite and PostgreSQL both take it: 8-byte integers, text and bytes only.
-- Payment numbers use all 64 bits and are stored as 8 bytes, big-endian; amounts as decimal text, in base units.

-- What was asked for. Others than the engine insert here, and nobody changes or deletes.
CREATE TABLE request (
    ref       BYTEA  NOT NULL PRIMARY KEY,
    arrival   BIGINT NOT NULL UNIQUE,
    body_hash BYTEA  NOT NULL,
    recipient BYTEA  NOT NULL,
    amount    TEXT   NOT NULL
);

-- What operators asked for, likewise.
CREATE TABLE command (
    arrival BIGINT NOT NULL PRIMARY KEY,
    body    TEXT   NOT NULL
);

-- The last arrival given out. Taking one locks the row until the end of the transaction, so that arrivals become
-- visible in their order: who has read through one never misses a lower one.
CREATE TABLE arrivals (
    kind TEXT   NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);
INSERT INTO arrivals (kind, last) VALUES ('request', 0), ('command', 0);

-- The log.
CREATE TABLE event (
    seq  BIGINT NOT NULL PRIMARY KEY,
    kind TEXT   NOT NULL,
    body TEXT   NOT NULL,
    prev BYTEA  NOT NULL,
    hash BYTEA  NOT NULL
);

-- From here on: folded from the log, and written in the transaction that writes the events.
CREATE TABLE payment (
    ref       BYTEA  NOT NULL PRIMARY KEY,
    arrival   BIGINT NOT NULL,
    recipient BYTEA  NOT NULL,
    amount    TEXT   NOT NULL,
    status    TEXT   NOT NULL,
    reason    TEXT,
    number    BYTEA  UNIQUE,
    batch     BYTEA,
    tries     BIGINT NOT NULL
);
CREATE INDEX payment_status ON payment (status);

CREATE TABLE batch (
    id       BYTEA NOT NULL PRIMARY KEY,
    header   TEXT  NOT NULL,
    payments BYTEA NOT NULL,
    route    TEXT  NOT NULL,
    status   TEXT  NOT NULL,
    paid     BYTEA NOT NULL
);
CREATE INDEX batch_status ON batch (status);

CREATE TABLE slot (
    nonce  BIGINT NOT NULL PRIMARY KEY,
    status TEXT   NOT NULL,
    job    TEXT   NOT NULL,
    batch  BYTEA
);
CREATE INDEX slot_status ON slot (status);

CREATE TABLE attempt (
    hash    BYTEA  NOT NULL PRIMARY KEY,
    nonce   BIGINT NOT NULL REFERENCES slot (nonce),
    place   BIGINT NOT NULL,
    raw     BYTEA  NOT NULL,
    max_fee TEXT   NOT NULL,
    tip     TEXT   NOT NULL,
    job     TEXT   NOT NULL,
    batch   BYTEA,
    status  TEXT   NOT NULL,
    UNIQUE (nonce, place)
);

CREATE TABLE checkpoint (
    vault  BYTEA  NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    hash   BYTEA  NOT NULL,
    time   BIGINT NOT NULL
);

-- How far each reader of the log has come.
CREATE TABLE cursor (
    consumer TEXT   NOT NULL PRIMARY KEY,
    seq      BIGINT NOT NULL
);

-- 'schema', 'identity' and 'log', as JSON.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- What was quoted for payments, as JSON; nothing is decided by it.
CREATE TABLE quote (
    ref  BYTEA NOT NULL PRIMARY KEY,
    body TEXT  NOT NULL
);
-- PostgreSQL's way of refusing changes to what is append-only, and the lease of the one keeper that writes the log.
-- The tables' owner can remove the triggers; the chain of hashes then shows what was changed.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% append-only', TG_ARGV[0];
END $$;
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the log is');
CREATE TRIGGER request_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('requests are');
CREATE TRIGGER command_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON command
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('commands are');

-- Who may write the log. Times are milliseconds since 1970, by this server's clock.
CREATE TABLE lease (
    name     TEXT   NOT NULL PRIMARY KEY,
    holder   TEXT   NOT NULL,
    -- Grows with each keeper that takes it. Every commit of the log holds its own against it.
    epoch    BIGINT NOT NULL,
    taken    BIGINT NOT NULL,
    expires  BIGINT NOT NULL,
    -- Of the server when it was taken: a promoted or restored server has another timeline, and one whose commits waited for
    -- no replica may then lack some.
    timeline TEXT   NOT NULL,
    replicas TEXT   NOT NULL
);
INSERT INTO lease (name, holder, epoch, taken, expires, timeline, replicas) VALUES ('engine', '', 0, 0, 0, '', '');

-- What a keeper wrote.
INSERT INTO request VALUES ('\x4717cda594f996ba302fc4957ef5b7d7', 1001, '\x2b9508165d9f8cec9b08e53bd4224317e40e624f40c437ccb96efb8cb8bdad77', '\x7ef5b7d715353c7285168edfcb37792b6233bcc9', '1099512627776');
INSERT INTO command VALUES (1001, '{"do":"halt","note":"to look at it"}');
INSERT INTO event VALUES (1, 'log_opened', '{"kind":"log_opened","domain":{"chain_id":31337,"vault":"0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"},"keeper":"0xa4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4","first_nonce":7,"namespace":42,"start":{"number":100,"hash":"0xdc961d2e5d46532f7b9f65afdb640c5284dfb1a947abf2b23758931400995e0f","time":1700000100}}', '\x0000000000000000000000000000000000000000000000000000000000000000', '\x81cbac346637affe57292727dc04388264711f952aa34e3720c456775e34d4bd');
INSERT INTO event VALUES (2, 'foreign_proposed', '{"kind":"foreign_proposed","batch":{"first_number":"9223372036854776320","count":2,"tier":1,"total":"2000003","recipient":"0x0000000000000000000000000000000000000000","expires_at":750376199473,"payments_hash":"0x7ecf0b7967c966ad020acf322163f60dcabda418838cf6c8a92d3cc4f23751cb","context":"0x4c0d8e3a469c7b2adf1361629b5d5f951530e87a14f26d08fcc227823cedeeb5"},"payments":[{"recipient":"0xc306702f67540b53c7eea8b7d2941044b027100f","amount":"1000001","ref":"0x6c31fc15422ebad28aaf9089c306702f"},{"recipient":"0x8fd42cc52aee8cf5c4e7cfafe58c92b2ed138e04","amount":"1000002","ref":"0x859f11b75569a4eb0496c5138fd42cc5"}]}', '\x81cbac346637affe57292727dc04388264711f952aa34e3720c456775e34d4bd', '\xfe6da66e268feff71ddc93bad7db5162560c112e393a3ba2cd8c60b3fd7aaeff');
INSERT INTO event VALUES (3, 'requests_accepted', '{"kind":"requests_accepted","requests":[{"arrival":1,"recipient":"0xd053a1f0c6e70ea42862e5ef4ad66b3666c5e2af","amount":"1000003","ref":"0xd4c69e49e83a6047f46e42b2d053a1f0"},{"arrival":2,"recipient":"0x9b104f0e005238dcd1cbaf844fd9f40d63174c56","amount":"1000004","ref":"0xd2ed8d75f801ae8a206c07ff9b104f0e"},{"arrival":3,"recipient":"0x546d7028e6bf9569108995fc410868db775e5e6a","amount":"1000005","ref":"0xfe07a98784cd1850eae35ede546d7028"},{"arrival":4,"recipient":"0x27a67eaded2cfc191f2a18d69000bbe2e98b680a","amount":"1000006","ref":"0xc3751ea2572cb6b4f061af1127a67ead"}],"through":5}', '\xfe6da66e268feff71ddc93bad7db5162560c112e393a3ba2cd8c60b3fd7aaeff', '\x634c94405e4502737abd500f96352eeb5566a269101e5d511f8f469de0d94972');
INSERT INTO event VALUES (4, 'finalised_advanced', '{"kind":"finalised_advanced","block":{"number":101,"hash":"0xaef30ba80b189c392eb77497b1656439380067e142f10970b452c35146be844d","time":1700000101}}', '\x634c94405e4502737abd500f96352eeb5566a269101e5d511f8f469de0d94972', '\x2ba41ef55615db6fc113d182a8c3fd3e6f8bf7a12d99ba125a60fe2ed784a131');
INSERT INTO event VALUES (5, 'requests_accepted', '{"kind":"requests_accepted","requests":[{"arrival":6,"recipient":"0xf721ea6b3ec88def0a8c3d3f7d31e775eed05347","amount":"1000007","ref":"0xea2e640cf9cf85178466ebb2f721ea6b"},{"arrival":7,"recipient":"0x609e9ad72bcf844975f740bddbafde0a0de6dc06","amount":"1000008","ref":"0x7b2d9ad83603f6d16ce3a070609e9ad7"},{"arrival":8,"recipient":"0x330725d05fd8960ebedae32eb1868990b29a9056","amount":"1000009","ref":"0xc05de23bfc9a474d4cb19960330725d0"},{"arrival":9,"recipient":"0x3e627a7b0bd0fd5143c45a35981f247fa1db3812","amount":"1000010","ref":"0xfda940ba5250d10bd3c701ef3e627a7b"},{"arrival":10,"recipient":"0x83cd44234d8cc20b70dbe44d9cc1b9e9c51b5cd2","amount":"1000011","ref":"0x3f4efaf51cd915ee9f21d9f383cd4423"}],"through":10}', '\x2ba41ef55615db6fc113d182a8c3fd3e6f8bf7a12d99ba125a60fe2ed784a131', '\xb75b3afc0a0479730f001f00b22a0e7d38464e0b706c2491d38027b94c15794b');
INSERT INTO event VALUES (6, 'slot_reserved', '{"kind":"slot_reserved","nonce":7,"job":{"do":"void"}}', '\xb75b3afc0a0479730f001f00b22a0e7d38464e0b706c2491d38027b94c15794b', '\x16c745c47526ab0eddc20cbd27664f3f03b48817469551aff414a55ec6a5351c');
INSERT INTO event VALUES (7, 'finalised_advanced', '{"kind":"finalised_advanced","block":{"number":103,"hash":"0x2909d12aa327439eb8e6a1470335ff2600d5173935e7ec8e7f36eaba1eec9c9c","time":1700000103}}', '\x16c745c47526ab0eddc20cbd27664f3f03b48817469551aff414a55ec6a5351c', '\xe650455354b5f974340f964c10817a2f0cbaab8a67329555a132a31f818bca19');
INSERT INTO event VALUES (8, 'attempt_signed', '{"kind":"attempt_signed","nonce":7,"job":{"do":"void"},"hash":"0x069d39d477da26d606dc48342e7578e081a669252beee83d89660b58e7087c4e","raw":"0xf8dc143a2d668085d137fa3890ad7394f9a4b0cf846be5a77430c04ad123a230d8862902bf6c6e4d","fees":{"max_fee":"286220327790995662517606260287941358902","tip":"412785583"}}', '\xe650455354b5f974340f964c10817a2f0cbaab8a67329555a132a31f818bca19', '\xe63af189766f647582b9e6de83c10827a41403f4417deb02f1d3a175124e31c0');
INSERT INTO event VALUES (9, 'recovered', '{"kind":"recovered","payments":[{"number":"9223372036854779136","recipient":"0xfd305d199dad99f1c20a1129ab98bc233c50c6da","amount":"1000012","ref":"0x626899464858d84aa8a337b4fd305d19"},{"number":"9223372036854779137","recipient":"0x962dc906376114d9f843ea4f8a32aaee64eab062","amount":"1000013","ref":"0x0a1d16d5f4fda7e23b7730ca962dc906"}]}', '\xe63af189766f647582b9e6de83c10827a41403f4417deb02f1d3a175124e31c0', '\xd5bf1e4304fb11d159e83901126a6aa45b2da31bed43a206a1f7619056832656');
INSERT INTO event VALUES (10, 'outcome_final', '{"kind":"outcome_final","batch":"0x4141781e3112988b1c987bf7078336dd7aec31271d3ef77975b63070b7ca976a","first_number":"9223372036854776320","paid":"0x0","block":3}', '\xd5bf1e4304fb11d159e83901126a6aa45b2da31bed43a206a1f7619056832656', '\x188d443c773aca5a8dfbe515f0340330f9ec4d893666eb0f143951c01d6ab063');
INSERT INTO event VALUES (11, 'finalised_advanced', '{"kind":"finalised_advanced","block":{"number":105,"hash":"0xd3a09cc9389a40907d3f5f4032c995249fd13b2872a4b8d27630b8d3a2ce67f5","time":1700000105}}', '\x188d443c773aca5a8dfbe515f0340330f9ec4d893666eb0f143951c01d6ab063', '\x6eaaf62116c8b2a28001ead72effbae17f272b6a87582107622bf34824295204');
INSERT INTO event VALUES (12, 'attempt_signed', '{"kind":"attempt_signed","nonce":7,"job":{"do":"void"},"hash":"0x36bc8bcc06feaee52143117a593673d203fb6987c0ffe0e1ddbf226e3d7b576f","raw":"0x706a18eb4b56e69664ab041d19451db9fc3698cae8f7d1e6ec6cab8b569f39d11b4e2827ac5f441b","fees":{"max_fee":"323002039508258172738170809394007957610","tip":"137269782"}}', '\x6eaaf62116c8b2a28001ead72effbae17f272b6a87582107622bf34824295204', '\x95e98282100caf49f210f27fa45c57a21c7f21a663e3049698f27e3782f073f8');
INSERT INTO event VALUES (13, 'command_taken', '{"kind":"command_taken","arrival":2,"command":{"do":"resume","note":"go"},"refused":null}', '\x95e98282100caf49f210f27fa45c57a21c7f21a663e3049698f27e3782f073f8', '\x0b3109a1521495b4c27f253e63c34a42e897968033e87b869372ac5913721fc2');
INSERT INTO event VALUES (14, 'batch_died', '{"kind":"batch_died","batch":"0x4141781e3112988b1c987bf7078336dd7aec31271d3ef77975b63070b7ca976a","cause":"expired"}', '\x0b3109a1521495b4c27f253e63c34a42e897968033e87b869372ac5913721fc2', '\xd0c59ec027909efa4e5069f1947dea536d9dd860df20cbe2882e0593ef54eb5f');
INSERT INTO event VALUES (15, 'released', '{"kind":"released","refs":["0x3f4efaf51cd915ee9f21d9f383cd4423","0xea2e640cf9cf85178466ebb2f721ea6b","0xfda940ba5250d10bd3c701ef3e627a7b"]}', '\xd0c59ec027909efa4e5069f1947dea536d9dd860df20cbe2882e0593ef54eb5f', '\x6bdbe4effefe4577a6a8ee3d74b09d25c440c37781cd312607f7fcb63c03357d');
INSERT INTO event VALUES (16, 'slot_consumed', '{"kind":"slot_consumed","nonce":7,"by":"0x36bc8bcc06feaee52143117a593673d203fb6987c0ffe0e1ddbf226e3d7b576f","reverted":true,"block":3}', '\x6bdbe4effefe4577a6a8ee3d74b09d25c440c37781cd312607f7fcb63c03357d', '\xb1ccbdbcf4c0792639b00f03ca23fb0ddb7f59d312c88d1d31bbd8183c24853a');
INSERT INTO event VALUES (17, 'finalised_advanced', '{"kind":"finalised_advanced","block":{"number":106,"hash":"0x127cd2615f97476cc182cfd8e98fac5d201eba1b72ca9d0b892542cd88cb80df","time":1700000106}}', '\xb1ccbdbcf4c0792639b00f03ca23fb0ddb7f59d312c88d1d31bbd8183c24853a', '\x39ab9f78d434be94b77b236293b9d451be2af7f284e5a294722b5c0818bfc085');
INSERT INTO event VALUES (18, 'command_taken', '{"kind":"command_taken","arrival":4,"command":{"do":"resume","note":"go"},"refused":null}', '\x39ab9f78d434be94b77b236293b9d451be2af7f284e5a294722b5c0818bfc085', '\xf46d61e43049c89c93815481482a7e743d1afb0c398a5db3212c0dbea6d7afaf');
INSERT INTO event VALUES (19, 'finalised_advanced', '{"kind":"finalised_advanced","block":{"number":107,"hash":"0x8b1aba75aae5de347e08df2be134c1e9d898db1a16eec78795b60f2695349892","time":1700000107}}', '\xf46d61e43049c89c93815481482a7e743d1afb0c398a5db3212c0dbea6d7afaf', '\x3e72165c5e050d5de0f3f5b9620b38ca2089ecd6e257bbfed4ffde82a78fb445');
INSERT INTO event VALUES (20, 'released', '{"kind":"released","refs":["0xd4c69e49e83a6047f46e42b2d053a1f0"]}', '\x3e72165c5e050d5de0f3f5b9620b38ca2089ecd6e257bbfed4ffde82a78fb445', '\xfd5a63e17f17909da42657c7a0698079bbd6bf5a260d4b4682a5b458c903679e');
INSERT INTO event VALUES (21, 'slot_reserved', '{"kind":"slot_reserved","nonce":8,"job":{"do":"void"}}', '\xfd5a63e17f17909da42657c7a0698079bbd6bf5a260d4b4682a5b458c903679e', '\x821abc479705be007a583c6ba42ded28287c833e174d6db7a6ad08c7932a6a64');
INSERT INTO event VALUES (22, 'recovered', '{"kind":"recovered","payments":[{"number":"9223372036854779648","recipient":"0xb423a4c1d724de4b9f723145da6b5cdbeedb3f72","amount":"1000014","ref":"0xc0b646ed04f297a93680687cb423a4c1"},{"number":"9223372036854779649","recipient":"0x9fde73d3a712bed04c26a55e7286ee5dc4542a6c","amount":"1000015","ref":"0xe605c2edc7ca1e162661ab489fde73d3"}]}', '\x821abc479705be007a583c6ba42ded28287c833e174d6db7a6ad08c7932a6a64', '\x2b477629fd1983dfa7eab5b474cad01069b798c8847258effe2bb8a33c8fee46');
INSERT INTO event VALUES (23, 'slot_reserved', '{"kind":"slot_reserved","nonce":9,"job":{"do":"void"}}', '\x2b477629fd1983dfa7eab5b474cad01069b798c8847258effe2bb8a33c8fee46', '\xba24dac2ef1bc3a0fe9abf4a92a6209fd3a0bebf8d2ed0f130321b030b8624ac');
INSERT INTO event VALUES (24, 'released', '{"kind":"released","refs":["0xfe07a98784cd1850eae35ede546d7028"]}', '\xba24dac2ef1bc3a0fe9abf4a92a6209fd3a0bebf8d2ed0f130321b030b8624ac', '\x313fc7ba110d80cef07b76a50d5ba128b2ec56df1a41fe6179a195e9e3fa74d9');
INSERT INTO event VALUES (25, 'requests_accepted', '{"kind":"requests_accepted","requests":[{"arrival":11,"recipient":"0xc2c93ad8b5aa82ee66772cd6c88fe08a7641e97e","amount":"1000016","ref":"0xc7d45de61fbaffaad10c6cffc2c93ad8"},{"arrival":12,"recipient":"0x95be0febe83929df38e87208aecf641db0418e55","amount":"1000017","ref":"0x4e86d666b86e18211956872f95be0feb"},{"arrival":13,"recipient":"0xc4f800fb1de763ee06b79fad771b2e97161ef7be","amount":"1000018","ref":"0x45a9ae46a4c3f09611b66629c4f800fb"},{"arrival":14,"recipient":"0x1d4c6668a8506608c8c9a58cd73122dcd4c4b771","amount":"1000019","ref":"0x6f679f7690d28d42c1de1aaa1d4c6668"}],"through":15}', '\x313fc7ba110d80cef07b76a50d5ba128b2ec56df1a41fe6179a195e9e3fa74d9', '\x75a2bc1a4d105047dc5126fd82515d462cd207f73a3c11913218411729c72e4d');
INSERT INTO event VALUES (26, 'batch_sealed', '{"kind":"batch_sealed","anchor":25,"batch":{"first_number":"46179488366592","count":1,"tier":2,"total":"1000007","recipient":"0xf721ea6b3ec88def0a8c3d3f7d31e775eed05347","expires_at":454749498981,"payments_hash":"0x005dab36e877eeb82f42d96f9bf3d69ea67bff827ec66fa5c41ea3a5151d9327","context":"0x01cde649bc52c6dfa6cd0d0692518cb588a7fbbf83da0bf2d4ae41ab4175ef5b"},"refs":["0xea2e640cf9cf85178466ebb2f721ea6b"],"route":"direct"}', '\x75a2bc1a4d105047dc5126fd82515d462cd207f73a3c11913218411729c72e4d', '\xfaa63f8bda52329ff50b25a8d7e7201a107aedb11fcb7209117f1328c33d830c');
INSERT INTO event VALUES (27, 'attempt_signed', '{"kind":"attempt_signed","nonce":8,"job":{"do":"execute","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad","skip":"0x5dc4bb321a306664"},"hash":"0x5f370d5d9c9ce56ea8df7c80dc074972464274e2262cd5fb71d52ca8244f7d38","raw":"0xd1fe6b91bb9b38a5614e38cf0018efdab37d18aa870c09bff063f5dfa2456a2f3d1f3655474d856a","fees":{"max_fee":"44123561737290311582559410388558875341","tip":"146727074"}}', '\xfaa63f8bda52329ff50b25a8d7e7201a107aedb11fcb7209117f1328c33d830c', '\x6452b9c2ba7a685729a0a527694cdf534e5866a8fed9201f1f881b6d57b64999');
INSERT INTO event VALUES (28, 'outcome_final', '{"kind":"outcome_final","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad","first_number":"46179488366592","paid":"0x0","block":3}', '\x6452b9c2ba7a685729a0a527694cdf534e5866a8fed9201f1f881b6d57b64999', '\x4d398ae03177978e482122d79fe7498d741410a97d77332bbd8790f61530eea6');
INSERT INTO event VALUES (29, 'cancelled', '{"kind":"cancelled","refs":["0xc3751ea2572cb6b4f061af1127a67ead"]}', '\x4d398ae03177978e482122d79fe7498d741410a97d77332bbd8790f61530eea6', '\xd3c8565ae4d555d9c362309fc5b5c7251a5a577162895871f7872f51a2f6910c');
INSERT INTO event VALUES (30, 'requests_accepted', '{"kind":"requests_accepted","requests":[{"arrival":16,"recipient":"0x58a9a8a838371243bd18fae95da6cf7af8e1f0a4","amount":"1000020","ref":"0x53943dd57b334394088bcce658a9a8a8"}],"through":17}', '\xd3c8565ae4d555d9c362309fc5b5c7251a5a577162895871f7872f51a2f6910c', '\xaf703131da91ee7f5bf52cb0daa8e8aeb25f2ad38a1c4a030bfe68f8a6ace330');
INSERT INTO event VALUES (31, 'batch_sealed', '{"kind":"batch_sealed","anchor":30,"batch":{"first_number":"9223418216343142400","count":1,"tier":0,"total":"1000003","recipient":"0xd053a1f0c6e70ea42862e5ef4ad66b3666c5e2af","expires_at":297546581659,"payments_hash":"0xba552018587e433941a5c94bcee385ba4dfb11e6a1ad250327ceef899a5d6e3b","context":"0x9b410d9557f3e347cade62f682e1ae328b416a31b297009d78dc6af0f2dab2b9"},"refs":["0xd4c69e49e83a6047f46e42b2d053a1f0"],"route":"proposal"}', '\xaf703131da91ee7f5bf52cb0daa8e8aeb25f2ad38a1c4a030bfe68f8a6ace330', '\xde0784a40543f56be45ef50aeaafa14442eae198350f3ca533877df903ee76bf');
INSERT INTO event VALUES (32, 'attempt_signed', '{"kind":"attempt_signed","nonce":8,"job":{"do":"pay","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06"},"hash":"0x5ec4a60d82424512198257dd74a2a6434f9c4eb85753072b34c1ce3d20e88ac6","raw":"0xf19a2adf5c771ebe7af360201fd1532bd9ab1b85eafff63895763fe010e19e48bfbdbae7d68c5147","fees":{"max_fee":"37017075976543175733373176066097628287","tip":"104315508"}}', '\xde0784a40543f56be45ef50aeaafa14442eae198350f3ca533877df903ee76bf', '\x537bc336f556a0bcc8b73a45663ea2f7ba5a4b13020aab01d28bd43dea31cb8c');
INSERT INTO event VALUES (33, 'outcome_final', '{"kind":"outcome_final","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06","first_number":"9223418216343142400","paid":"0x1","block":3}', '\x537bc336f556a0bcc8b73a45663ea2f7ba5a4b13020aab01d28bd43dea31cb8c', '\xc73e7a0e126975b12ac81e0de60f30bf0df9090373a8c271a0c653b5f739e1fc');
INSERT INTO event VALUES (34, 'held', '{"kind":"held","refs":["0x6f679f7690d28d42c1de1aaa1d4c6668"],"reason":"above_limit"}', '\xc73e7a0e126975b12ac81e0de60f30bf0df9090373a8c271a0c653b5f739e1fc', '\x1302861cdea647ea0e44ea100a44d5298f820218af59ddd077f6360b9d689fe1');
INSERT INTO event VALUES (35, 'attempt_signed', '{"kind":"attempt_signed","nonce":8,"job":{"do":"pay","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06"},"hash":"0xfa9ad0bb1408913909611a43822ba87230e251534b3159ccf608f7dc49908fca","raw":"0x4884063c459dbfe728be0ff443a372a13f20ca62c9872898c5c767da2e70983a619460e78264bacf","fees":{"max_fee":"28796755127806353480597934495053353859","tip":"304220091"}}', '\x1302861cdea647ea0e44ea100a44d5298f820218af59ddd077f6360b9d689fe1', '\x3b0164294be294593018830f9e4adedb8454a06859ae6dffdf7097dd24188344');
INSERT INTO event VALUES (36, 'released', '{"kind":"released","refs":["0x6f679f7690d28d42c1de1aaa1d4c6668"]}', '\x3b0164294be294593018830f9e4adedb8454a06859ae6dffdf7097dd24188344', '\x5c5c6d3c68f1cfaf43ebcc01c6c92cadeb98200c0e53c14a29315e3cd6147179');
INSERT INTO event VALUES (37, 'cancelled', '{"kind":"cancelled","refs":["0xfe07a98784cd1850eae35ede546d7028","0x6f679f7690d28d42c1de1aaa1d4c6668","0xfda940ba5250d10bd3c701ef3e627a7b"]}', '\x5c5c6d3c68f1cfaf43ebcc01c6c92cadeb98200c0e53c14a29315e3cd6147179', '\xdd118db434bd3be0783984c4931ce828cbb5fb28585df0a3787f6455cf9dea83');
INSERT INTO event VALUES (38, 'cancelled', '{"kind":"cancelled","refs":["0x3f4efaf51cd915ee9f21d9f383cd4423"]}', '\xdd118db434bd3be0783984c4931ce828cbb5fb28585df0a3787f6455cf9dea83', '\xc4127ffc4601e76e9ec26165eb52c0cbc75734275f4f61b1073b2f95254b5b7f');
INSERT INTO event VALUES (39, 'requests_accepted', '{"kind":"requests_accepted","requests":[{"arrival":18,"recipient":"0xd1492af66cf5a1d1107c0855bba0151ca4ffb26a","amount":"1000021","ref":"0x88867debcaf2a31bc5ed38f1d1492af6"},{"arrival":19,"recipient":"0x7dd8c0154cbe0f9e305e67c5247f2ee8ae987c06","amount":"1000022","ref":"0x20dd72172e4bd9c99a919c217dd8c015"}],"through":19}', '\xc4127ffc4601e76e9ec26165eb52c0cbc75734275f4f61b1073b2f95254b5b7f', '\x29b321f27aef2d53cccc7696b1fe6cbd594cd08d3d023f439ace1c40b1f83db6');
INSERT INTO event VALUES (40, 'slot_consumed', '{"kind":"slot_consumed","nonce":9,"by":null,"reverted":true,"block":3}', '\x29b321f27aef2d53cccc7696b1fe6cbd594cd08d3d023f439ace1c40b1f83db6', '\x9b4336da50a8b27809db93a3dde1a2678c88295beba6a32cbb58f9f0dcf49004');
INSERT INTO event VALUES (41, 'slot_reserved', '{"kind":"slot_reserved","nonce":10,"job":{"do":"void"}}', '\x9b4336da50a8b27809db93a3dde1a2678c88295beba6a32cbb58f9f0dcf49004', '\x37d433b6871dd2bd331acf28577497b80b3db51806bda9dca97deac21221ee50');
INSERT INTO event VALUES (42, 'recovered', '{"kind":"recovered","payments":[{"number":"9223372036854782208","recipient":"0xec09d4c6c920ed502bed5ef3911620cd58f97533","amount":"1000023","ref":"0xf19c5e2028c6a7d285e93f83ec09d4c6"},{"number":"9223372036854782209","recipient":"0x09d3bdfcd76efccdde47738fa82e6e2c732544d4","amount":"1000024","ref":"0x3ae7a9e2e8385c4559eec28609d3bdfc"},{"number":"9223372036854782210","recipient":"0x4614ec8236b2463f3296e558c0abe20df28db0a9","amount":"1000025","ref":"0xa0a6c335ad156c33f14778b24614ec82"}]}', '\x37d433b6871dd2bd331acf28577497b80b3db51806bda9dca97deac21221ee50', '\xd9158ac09cd7da98fff734367a25400e42b21f2702bbbff78be305430d8b67f8');
INSERT INTO event VALUES (43, 'released', '{"kind":"released","refs":["0x20dd72172e4bd9c99a919c217dd8c015"]}', '\xd9158ac09cd7da98fff734367a25400e42b21f2702bbbff78be305430d8b67f8', '\x213d15357add0967ecba99a759fdf1572935695068b48e68cd81a368e552f0f3');
INSERT INTO event VALUES (44, 'finalised_advanced', '{"kind":"finalised_advanced","block":{"number":109,"hash":"0x118e2f57de16313cc769c2b3a383f99fb8ca8cb325ecd849f2c8b570f55c9b3d","time":1700000109}}', '\x213d15357add0967ecba99a759fdf1572935695068b48e68cd81a368e552f0f3', '\xdffd252ec6f5f026003536705c80f899c0bc0e7cb2394464528528b613568f96');
INSERT INTO event VALUES (45, 'outcome_final', '{"kind":"outcome_final","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad","first_number":"46179488366592","paid":"0x1","block":3}', '\xdffd252ec6f5f026003536705c80f899c0bc0e7cb2394464528528b613568f96', '\x7434dfa5becf3a12c9eb356043350ee76fe8b187ae3b36e93db4c37eae8c8d9f');
INSERT INTO event VALUES (46, 'slot_consumed', '{"kind":"slot_consumed","nonce":8,"by":"0x5ec4a60d82424512198257dd74a2a6434f9c4eb85753072b34c1ce3d20e88ac6","block":3}', '\x7434dfa5becf3a12c9eb356043350ee76fe8b187ae3b36e93db4c37eae8c8d9f', '\xfcf79128b8a44dae7fec075164c4dc67f600c6e16f65a3808b5e58784b7cd4ae');
INSERT INTO event VALUES (47, 'attempt_signed', '{"kind":"attempt_signed","nonce":10,"job":{"do":"pay","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad"},"hash":"0xf461dbcf84639b274ecddf91e4eb37a02cab6b946b924094edbd5551f5bf73f5","raw":"0x8de0607ed90aa4bc576ecdb34da242b92be712f814f6141f08f2bdd805fa5fa7a5d57e3b78b7ab65","fees":{"max_fee":"22043056086036473410652549004878836000","tip":"136507421"}}', '\xfcf79128b8a44dae7fec075164c4dc67f600c6e16f65a3808b5e58784b7cd4ae', '\x4e1e7d50bf63b8d2cc1eaa3f8db83f692be10d2887f4c34a71a362d2f813c2cf');
INSERT INTO event VALUES (48, 'held', '{"kind":"held","refs":["0x20dd72172e4bd9c99a919c217dd8c015"],"reason":"above_limit"}', '\x4e1e7d50bf63b8d2cc1eaa3f8db83f692be10d2887f4c34a71a362d2f813c2cf', '\xe6ba8851944503dec9beecc1e725d62b221fb6b822128471cc0c2b25c2cdc0ad');
INSERT INTO event VALUES (49, 'held', '{"kind":"held","refs":["0x45a9ae46a4c3f09611b66629c4f800fb","0x7b2d9ad83603f6d16ce3a070609e9ad7"],"reason":"above_limit"}', '\xe6ba8851944503dec9beecc1e725d62b221fb6b822128471cc0c2b25c2cdc0ad', '\xee6e91ff03d018bfb2827061989ca4c85d5ff411462103ba8393bbcac3f03fe2');
INSERT INTO event VALUES (50, 'recovered', '{"kind":"recovered","payments":[{"number":"9223372036854782720","recipient":"0x5543ce3545e1556b1e409daa0e777692ed8858d3","amount":"1000027","ref":"0xef9d197f8d4641f26f3be8d35543ce35"}]}', '\xee6e91ff03d018bfb2827061989ca4c85d5ff411462103ba8393bbcac3f03fe2', '\x130f954c3c5c2f7a212acd4697c449b501f1ca1c5dc2fea46c3d40d67fec5ead');
INSERT INTO event VALUES (51, 'released', '{"kind":"released","refs":["0x20dd72172e4bd9c99a919c217dd8c015","0x7b2d9ad83603f6d16ce3a070609e9ad7"]}', '\x130f954c3c5c2f7a212acd4697c449b501f1ca1c5dc2fea46c3d40d67fec5ead', '\xaeace1e81384c14c81061a4bbc2c5bd0108b8cfc2e92972b73ed16d8ade56e12');
INSERT INTO event VALUES (52, 'rejected', '{"kind":"rejected","refs":["0x53943dd57b334394088bcce658a9a8a8"]}', '\xaeace1e81384c14c81061a4bbc2c5bd0108b8cfc2e92972b73ed16d8ade56e12', '\xb2624c04b1bf03f7902dd0d3dbfea4ca534e30653a6167b8fe58d9ee1c420a76');
INSERT INTO event VALUES (53, 'released', '{"kind":"released","refs":["0x45a9ae46a4c3f09611b66629c4f800fb"]}', '\xb2624c04b1bf03f7902dd0d3dbfea4ca534e30653a6167b8fe58d9ee1c420a76', '\x98cab380f5318d6a54e2b17fde2b8a0d320b494a3e5d5bc5d6dcb00262aeb7e8');
INSERT INTO event VALUES (54, 'mode_changed', '{"kind":"mode_changed","mode":"armed"}', '\x98cab380f5318d6a54e2b17fde2b8a0d320b494a3e5d5bc5d6dcb00262aeb7e8', '\x7da9ff9b672c44f940a65c59c8b155b46151e85139f60cf7e977139716624367');
INSERT INTO event VALUES (55, 'batch_sealed', '{"kind":"batch_sealed","anchor":54,"batch":{"first_number":"46179488366593","count":3,"tier":3,"total":"3000048","recipient":"0x0000000000000000000000000000000000000000","expires_at":588558582637,"payments_hash":"0xad42ae7549904345d10ce71833f4b0cb6df3f65a532754f35d88ac147dfbad97","context":"0x82a09cb33a07bf1b10232e581f738571293b32b153564866c69ef1c76a92be99"},"refs":["0x20dd72172e4bd9c99a919c217dd8c015","0x45a9ae46a4c3f09611b66629c4f800fb","0x7b2d9ad83603f6d16ce3a070609e9ad7"],"route":"direct"}', '\x7da9ff9b672c44f940a65c59c8b155b46151e85139f60cf7e977139716624367', '\x63f2bf6cd68103b908e5a20716c1dec9c30f832203ac72d04b96147d21c185ed');
INSERT INTO event VALUES (56, 'command_taken', '{"kind":"command_taken","arrival":5,"command":{"do":"resume","note":"go"},"refused":null}', '\x63f2bf6cd68103b908e5a20716c1dec9c30f832203ac72d04b96147d21c185ed', '\x1cfb982df1170e9e39648ef8c9404889ebc9acbeb4a1e6407b7c3efe4e84e631');
INSERT INTO event VALUES (57, 'released', '{"kind":"released","refs":["0x4e86d666b86e18211956872f95be0feb","0xd2ed8d75f801ae8a206c07ff9b104f0e"]}', '\x1cfb982df1170e9e39648ef8c9404889ebc9acbeb4a1e6407b7c3efe4e84e631', '\x5fe581e688545e9a60feb6a9b49ce079e051dc8dc9e14d29a1fb03108914634e');
INSERT INTO event VALUES (58, 'slot_consumed', '{"kind":"slot_consumed","nonce":10,"by":"0xf461dbcf84639b274ecddf91e4eb37a02cab6b946b924094edbd5551f5bf73f5","block":3}', '\x5fe581e688545e9a60feb6a9b49ce079e051dc8dc9e14d29a1fb03108914634e', '\x8d8a5f680f6b6ca11266ffb8690b4bea2ebccf0cd51288ebdb340a6d259f62bc');
INSERT INTO event VALUES (59, 'requests_accepted', '{"kind":"requests_accepted","requests":[{"arrival":20,"recipient":"0x5d827db15e3d9d4db0b2a462cf95d2bf8c991891","amount":"1000028","ref":"0x461cb3a3df2e16763d1ad6b85d827db1"}],"through":21}', '\x8d8a5f680f6b6ca11266ffb8690b4bea2ebccf0cd51288ebdb340a6d259f62bc', '\x728630bc33909e152eca4b23a344021b069916dfb0e617cdaa96c56868b28e56');
INSERT INTO event VALUES (60, 'released', '{"kind":"released","refs":["0xc05de23bfc9a474d4cb19960330725d0","0xc7d45de61fbaffaad10c6cffc2c93ad8"]}', '\x728630bc33909e152eca4b23a344021b069916dfb0e617cdaa96c56868b28e56', '\x72490aae9dc8dccb4645b8866b557b9d68d9443e65259f0ffff5f837e2574c6a');
INSERT INTO event VALUES (61, 'outcome_final', '{"kind":"outcome_final","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad","first_number":"46179488366592","paid":"0x0","block":3}', '\x72490aae9dc8dccb4645b8866b557b9d68d9443e65259f0ffff5f837e2574c6a', '\x144041a2b96acfdf02bce285f50221c1f4d70e0439e59988c676ee0140159784');
INSERT INTO event VALUES (62, 'batch_sealed', '{"kind":"batch_sealed","anchor":61,"batch":{"first_number":"9223418216343142401","count":3,"tier":1,"total":"3000029","recipient":"0x0000000000000000000000000000000000000000","expires_at":934799533476,"payments_hash":"0x2a59379a6d8767161816e40fd665b5e219c907424e6aa49360d61ed1a5caee82","context":"0xf0749c1f85d57c80b21ecbdede354a74d1648aabd35ecab7dbe2aa3783e8e85d"},"refs":["0xd2ed8d75f801ae8a206c07ff9b104f0e","0xc05de23bfc9a474d4cb19960330725d0","0xc7d45de61fbaffaad10c6cffc2c93ad8"],"route":"proposal"}', '\x144041a2b96acfdf02bce285f50221c1f4d70e0439e59988c676ee0140159784', '\xf42ce14b5dbe5c638c3684d45df9692d8e22e950f6c92fd56ed8b41b5a38c95d');
INSERT INTO event VALUES (63, 'finalised_advanced', '{"kind":"finalised_advanced","block":{"number":111,"hash":"0xf01339ccc7fd20178a89f276662feceda4d9e3adf8b9164c6823885f69c9d6e0","time":1700000111}}', '\xf42ce14b5dbe5c638c3684d45df9692d8e22e950f6c92fd56ed8b41b5a38c95d', '\xd0f0156f93eca49db14a1ac284ad9bd8e43284c4ad70d5c817c850d7a8ff61b1');
INSERT INTO event VALUES (64, 'batch_sealed', '{"kind":"batch_sealed","anchor":63,"batch":{"first_number":"46179488366596","count":1,"tier":3,"total":"1000017","recipient":"0x95be0febe83929df38e87208aecf641db0418e55","expires_at":381048249425,"payments_hash":"0xf82e7282e9ffb5c36bd874d86d3cc325578b50ffeb9064d5a685b629210c79b3","context":"0xe7d4d9b8af00d080677a5972048b44c003611c94a4595ea131058f2f7c07a29c"},"refs":["0x4e86d666b86e18211956872f95be0feb"],"route":"direct"}', '\xd0f0156f93eca49db14a1ac284ad9bd8e43284c4ad70d5c817c850d7a8ff61b1', '\xb0bff14df5892aa6a8b4bcec5ea9ba7dce6c5fcdffdab4729d0b1aab0ba89251');
INSERT INTO event VALUES (65, 'requests_accepted', '{"kind":"requests_accepted","requests":[{"arrival":22,"recipient":"0x8407d7457b651782e4d8f8fdb31cf869fda5285c","amount":"1000029","ref":"0x25a2fcdb755adf6c353223908407d745"},{"arrival":23,"recipient":"0xa21a12ba1053562d331abd31220876360beaf512","amount":"1000030","ref":"0xa815e15bc34a3c06744518bda21a12ba"},{"arrival":24,"recipient":"0x5179e94fcd7ffcbbc435fd009143b17d9c3c7343","amount":"1000031","ref":"0x2bdc97a14940533e5a1a02c75179e94f"}],"through":24}', '\xb0bff14df5892aa6a8b4bcec5ea9ba7dce6c5fcdffdab4729d0b1aab0ba89251', '\x0cbd5c14f6d7eec7e2c425bdfc93b4811edde988193ea37f8400d6a79f4f447a');
INSERT INTO event VALUES (66, 'released', '{"kind":"released","refs":["0x88867debcaf2a31bc5ed38f1d1492af6"]}', '\x0cbd5c14f6d7eec7e2c425bdfc93b4811edde988193ea37f8400d6a79f4f447a', '\x52d028c63e5936997f9eae62bc0dcead429b28737f93eb90ab9fd86604ddab80');
INSERT INTO event VALUES (67, 'batch_sealed', '{"kind":"batch_sealed","anchor":66,"batch":{"first_number":"46179488366597","count":1,"tier":3,"total":"1000021","recipient":"0xd1492af66cf5a1d1107c0855bba0151ca4ffb26a","expires_at":247077335192,"payments_hash":"0x9518a52b8b15e1591f002def65b3c0662a6925cc75be935c2d8c2d0e4b9570bd","context":"0x4f549d48ff534d750d384636bed319d8634be45cf6176445bbb963a16c0e9130"},"refs":["0x88867debcaf2a31bc5ed38f1d1492af6"],"route":"direct"}', '\x52d028c63e5936997f9eae62bc0dcead429b28737f93eb90ab9fd86604ddab80', '\x2da5d2a02d37e42de007afa2da51e3419c005157163b5816c0357151de298ed2');
INSERT INTO event VALUES (68, 'mode_changed', '{"kind":"mode_changed","mode":"armed"}', '\x2da5d2a02d37e42de007afa2da51e3419c005157163b5816c0357151de298ed2', '\xe2f19f3def5c391f26e727e58377bc34e6fa4cc10a6c4c05db403049e051db7f');
INSERT INTO event VALUES (69, 'foreign_seen', '{"kind":"foreign_seen","batch":"0xbe8dd1b93e490818fdfec2c4bfae2194231f7b0786360818e60871188acf2cb5","block":5}', '\xe2f19f3def5c391f26e727e58377bc34e6fa4cc10a6c4c05db403049e051db7f', '\xf71a655e2312266ea733cfc89c3b0cb5c56a39278e0da40513f2c95f66b54945');
INSERT INTO event VALUES (70, 'outcome_final', '{"kind":"outcome_final","batch":"0x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502","first_number":"46179488366593","paid":"0x4","block":3}', '\xf71a655e2312266ea733cfc89c3b0cb5c56a39278e0da40513f2c95f66b54945', '\xcc799bcce0818d1a8d02aa4518bf5cc5e43fbd5058efde243f9997d963cc827e');
INSERT INTO event VALUES (71, 'slot_reserved', '{"kind":"slot_reserved","nonce":11,"job":{"do":"void"}}', '\xcc799bcce0818d1a8d02aa4518bf5cc5e43fbd5058efde243f9997d963cc827e', '\x0e6c37175526f0f87eb42d11804926aa6f08c53f19f3eb4e929e90b7c30ceb31');
INSERT INTO event VALUES (72, 'attempt_signed', '{"kind":"attempt_signed","nonce":11,"job":{"do":"execute","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad","skip":"0x252569aea2ffd424"},"hash":"0xf88eb66800aeaa561e09c41a7dffd3cc401e46546a12b39d2142abbdf735f205","raw":"0xd3e5393cb730c0a4da8d12cbd50e502331b3154c7cbf2a693079711035e1056e3d71d3c0e875b124","fees":{"max_fee":"179428417645040827847917354800319864234","tip":"155746783"}}', '\x0e6c37175526f0f87eb42d11804926aa6f08c53f19f3eb4e929e90b7c30ceb31', '\xd1863329aa8ecb305e7f7ddc6e9e91d35469993947a746dc0e822a7d39b5f8d3');
INSERT INTO event VALUES (73, 'attempt_signed', '{"kind":"attempt_signed","nonce":11,"job":{"do":"propose","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06"},"hash":"0x360f817192ac05bec798b09c9c52e1677a9e6303f2df34210003d440db797a15","raw":"0x6680f0f1ce16bb1119b99678fc39549f5b2dfac83a27cfe8d2f6f7841f01e24aaf61770fcc64a197","fees":{"max_fee":"331208317874137561778244310979488005236","tip":"965005591"}}', '\xd1863329aa8ecb305e7f7ddc6e9e91d35469993947a746dc0e822a7d39b5f8d3', '\x3f1a04f9cbcd5d2ff20f0dc0b5cd2c6c572685a5a2ce60ed5133dc850eaf6be5');
INSERT INTO event VALUES (74, 'slot_reserved', '{"kind":"slot_reserved","nonce":12,"job":{"do":"pay","batch":"0x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502"}}', '\x3f1a04f9cbcd5d2ff20f0dc0b5cd2c6c572685a5a2ce60ed5133dc850eaf6be5', '\xa67fb8535d13b41f5c9d9e26122519a6f6c6fcde890c5fe73a8c13fa9ef802d9');
INSERT INTO event VALUES (75, 'recovered', '{"kind":"recovered","payments":[{"number":"9223372036854784256","recipient":"0x1a38b46a8c8b2d5d9ef815ba449d6e211da42251","amount":"1000032","ref":"0xc05ff25c9e4bcfb57a5bab271a38b46a"},{"number":"9223372036854784257","recipient":"0x67ffb74a2a9628fac122709c782d4ec412de658a","amount":"1000033","ref":"0xec9de0c71f6168183d2255ac67ffb74a"}]}', '\xa67fb8535d13b41f5c9d9e26122519a6f6c6fcde890c5fe73a8c13fa9ef802d9', '\x0e1847565f04cd8be49954314b241107de3a19becdbc514e378770d58f8c74a5');
INSERT INTO event VALUES (76, 'batch_died', '{"kind":"batch_died","batch":"0x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502","cause":"expired"}', '\x0e1847565f04cd8be49954314b241107de3a19becdbc514e378770d58f8c74a5', '\x478e32d69a44af7caddfe76740c21542a4015b0e3fe3e85b5d5b40c94ad16eed');
INSERT INTO event VALUES (77, 'attempt_signed', '{"kind":"attempt_signed","nonce":11,"job":{"do":"propose","batch":"0xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d"},"hash":"0x61c8cd36e14a2e95b099efd99a14554e6118f027e537ed9f10ece8b5e94ec648","raw":"0xf318a57a1bec17901240cc17f71f4779928732ec58727ca6f49a26682cbce3b570e6b100c844136e","fees":{"max_fee":"291724422396405483530078964233965496143","tip":"129700707"}}', '\x478e32d69a44af7caddfe76740c21542a4015b0e3fe3e85b5d5b40c94ad16eed', '\x5b5e2dd10a5cdb019754301c53ed12177f68a77d1e4def91068b4b298c847b02');
INSERT INTO event VALUES (78, 'batch_sealed', '{"kind":"batch_sealed","anchor":77,"batch":{"first_number":"46179488366593","count":1,"tier":3,"total":"1000022","recipient":"0x7dd8c0154cbe0f9e305e67c5247f2ee8ae987c06","expires_at":145590713516,"payments_hash":"0x94adb488982aef5ed259824febc3661d4ab853f7360e4eb5715c38464655306c","context":"0x980e19ad1f2efdb92e9153e04a4c4b306a61a2e474ac18d36e441a3d7a15d033"},"refs":["0x20dd72172e4bd9c99a919c217dd8c015"],"route":"direct"}', '\x5b5e2dd10a5cdb019754301c53ed12177f68a77d1e4def91068b4b298c847b02', '\xd6933985766d54fe6a9d93e4e97c13ec4a59de6ba97a6adb00992f7972531a3f');
INSERT INTO event VALUES (79, 'outcome_final', '{"kind":"outcome_final","batch":"0xac5a4019618f80e5c89eab4c8823a97588090f49b4e5b4de41b5bd78ebb52b6c","first_number":"46179488366593","paid":"0x1","block":3}', '\xd6933985766d54fe6a9d93e4e97c13ec4a59de6ba97a6adb00992f7972531a3f', '\xd1420707eef51972a13555e05beda4006b9cb4702466627912447eca51b4a9ab');
INSERT INTO event VALUES (80, 'slot_reserved', '{"kind":"slot_reserved","nonce":13,"job":{"do":"propose","batch":"0xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d"}}', '\xd1420707eef51972a13555e05beda4006b9cb4702466627912447eca51b4a9ab', '\xdf8e154e374b46ff35fed7f0a277ad31e14baf8387db0120977b2011ed47b044');
INSERT INTO payment VALUES ('\x0a1d16d5f4fda7e23b7730ca962dc906', 0, '\x962dc906376114d9f843ea4f8a32aaee64eab062', '1000013', 'paid', NULL, '\x8000000000000d01', NULL, 0);
INSERT INTO payment VALUES ('\x20dd72172e4bd9c99a919c217dd8c015', 19, '\x7dd8c0154cbe0f9e305e67c5247f2ee8ae987c06', '1000022', 'paid', NULL, '\x00002a0000000001', '\xac5a4019618f80e5c89eab4c8823a97588090f49b4e5b4de41b5bd78ebb52b6c', 1);
INSERT INTO payment VALUES ('\x25a2fcdb755adf6c353223908407d745', 22, '\x8407d7457b651782e4d8f8fdb31cf869fda5285c', '1000029', 'requested', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\x2bdc97a14940533e5a1a02c75179e94f', 24, '\x5179e94fcd7ffcbbc435fd009143b17d9c3c7343', '1000031', 'requested', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\x3ae7a9e2e8385c4559eec28609d3bdfc', 0, '\x09d3bdfcd76efccdde47738fa82e6e2c732544d4', '1000024', 'paid', NULL, '\x8000000000001901', NULL, 0);
INSERT INTO payment VALUES ('\x3f4efaf51cd915ee9f21d9f383cd4423', 10, '\x83cd44234d8cc20b70dbe44d9cc1b9e9c51b5cd2', '1000011', 'cancelled', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\x45a9ae46a4c3f09611b66629c4f800fb', 13, '\xc4f800fb1de763ee06b79fad771b2e97161ef7be', '1000018', 'open', NULL, '\x00002a0000000002', '\x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502', 1);
INSERT INTO payment VALUES ('\x461cb3a3df2e16763d1ad6b85d827db1', 20, '\x5d827db15e3d9d4db0b2a462cf95d2bf8c991891', '1000028', 'requested', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\x4e86d666b86e18211956872f95be0feb', 12, '\x95be0febe83929df38e87208aecf641db0418e55', '1000017', 'sealed', NULL, '\x00002a0000000004', '\xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d', 0);
INSERT INTO payment VALUES ('\x53943dd57b334394088bcce658a9a8a8', 16, '\x58a9a8a838371243bd18fae95da6cf7af8e1f0a4', '1000020', 'rejected', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\x626899464858d84aa8a337b4fd305d19', 0, '\xfd305d199dad99f1c20a1129ab98bc233c50c6da', '1000012', 'paid', NULL, '\x8000000000000d00', NULL, 0);
INSERT INTO payment VALUES ('\x6f679f7690d28d42c1de1aaa1d4c6668', 14, '\x1d4c6668a8506608c8c9a58cd73122dcd4c4b771', '1000019', 'cancelled', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\x7b2d9ad83603f6d16ce3a070609e9ad7', 7, '\x609e9ad72bcf844975f740bddbafde0a0de6dc06', '1000008', 'paid', NULL, '\x00002a0000000003', '\x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502', 0);
INSERT INTO payment VALUES ('\x88867debcaf2a31bc5ed38f1d1492af6', 18, '\xd1492af66cf5a1d1107c0855bba0151ca4ffb26a', '1000021', 'sealed', NULL, '\x00002a0000000005', '\x0900c4ab2a4d477c1475b1b75b392c451689ae7644126953c07323996bbb21ae', 0);
INSERT INTO payment VALUES ('\xa0a6c335ad156c33f14778b24614ec82', 0, '\x4614ec8236b2463f3296e558c0abe20df28db0a9', '1000025', 'paid', NULL, '\x8000000000001902', NULL, 0);
INSERT INTO payment VALUES ('\xa815e15bc34a3c06744518bda21a12ba', 23, '\xa21a12ba1053562d331abd31220876360beaf512', '1000030', 'requested', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\xc05de23bfc9a474d4cb19960330725d0', 8, '\x330725d05fd8960ebedae32eb1868990b29a9056', '1000009', 'sealed', NULL, '\x80002a0000000002', '\x59162fdb136bf33a46874670d061993877f01345c04bf464f9c7205d26183310', 0);
INSERT INTO payment VALUES ('\xc05ff25c9e4bcfb57a5bab271a38b46a', 0, '\x1a38b46a8c8b2d5d9ef815ba449d6e211da42251', '1000032', 'paid', NULL, '\x8000000000002100', NULL, 0);
INSERT INTO payment VALUES ('\xc0b646ed04f297a93680687cb423a4c1', 0, '\xb423a4c1d724de4b9f723145da6b5cdbeedb3f72', '1000014', 'paid', NULL, '\x8000000000000f00', NULL, 0);
INSERT INTO payment VALUES ('\xc3751ea2572cb6b4f061af1127a67ead', 4, '\x27a67eaded2cfc191f2a18d69000bbe2e98b680a', '1000006', 'cancelled', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\xc7d45de61fbaffaad10c6cffc2c93ad8', 11, '\xc2c93ad8b5aa82ee66772cd6c88fe08a7641e97e', '1000016', 'sealed', NULL, '\x80002a0000000003', '\x59162fdb136bf33a46874670d061993877f01345c04bf464f9c7205d26183310', 0);
INSERT INTO payment VALUES ('\xd2ed8d75f801ae8a206c07ff9b104f0e', 2, '\x9b104f0e005238dcd1cbaf844fd9f40d63174c56', '1000004', 'sealed', NULL, '\x80002a0000000001', '\x59162fdb136bf33a46874670d061993877f01345c04bf464f9c7205d26183310', 0);
INSERT INTO payment VALUES ('\xd4c69e49e83a6047f46e42b2d053a1f0', 1, '\xd053a1f0c6e70ea42862e5ef4ad66b3666c5e2af', '1000003', 'paid', NULL, '\x80002a0000000000', '\x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06', 0);
INSERT INTO payment VALUES ('\xe605c2edc7ca1e162661ab489fde73d3', 0, '\x9fde73d3a712bed04c26a55e7286ee5dc4542a6c', '1000015', 'paid', NULL, '\x8000000000000f01', NULL, 0);
INSERT INTO payment VALUES ('\xea2e640cf9cf85178466ebb2f721ea6b', 6, '\xf721ea6b3ec88def0a8c3d3f7d31e775eed05347', '1000007', 'paid', NULL, '\x00002a0000000000', '\x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad', 0);
INSERT INTO payment VALUES ('\xec9de0c71f6168183d2255ac67ffb74a', 0, '\x67ffb74a2a9628fac122709c782d4ec412de658a', '1000033', 'paid', NULL, '\x8000000000002101', NULL, 0);
INSERT INTO payment VALUES ('\xef9d197f8d4641f26f3be8d35543ce35', 0, '\x5543ce3545e1556b1e409daa0e777692ed8858d3', '1000027', 'paid', NULL, '\x8000000000001b00', NULL, 0);
INSERT INTO payment VALUES ('\xf19c5e2028c6a7d285e93f83ec09d4c6', 0, '\xec09d4c6c920ed502bed5ef3911620cd58f97533', '1000023', 'paid', NULL, '\x8000000000001900', NULL, 0);
INSERT INTO payment VALUES ('\xfda940ba5250d10bd3c701ef3e627a7b', 9, '\x3e627a7b0bd0fd5143c45a35981f247fa1db3812', '1000010', 'cancelled', NULL, NULL, NULL, 0);
INSERT INTO payment VALUES ('\xfe07a98784cd1850eae35ede546d7028', 3, '\x546d7028e6bf9569108995fc410868db775e5e6a', '1000005', 'cancelled', NULL, NULL, NULL, 0);
INSERT INTO batch VALUES ('\x0900c4ab2a4d477c1475b1b75b392c451689ae7644126953c07323996bbb21ae', '{"first_number":"46179488366597","count":1,"tier":3,"total":"1000021","recipient":"0xd1492af66cf5a1d1107c0855bba0151ca4ffb26a","expires_at":247077335192,"payments_hash":"0x9518a52b8b15e1591f002def65b3c0662a6925cc75be935c2d8c2d0e4b9570bd","context":"0x4f549d48ff534d750d384636bed319d8634be45cf6176445bbb963a16c0e9130"}', '\xd1492af66cf5a1d1107c0855bba0151ca4ffb26a0000000000000000000f425588867debcaf2a31bc5ed38f1d1492af6', 'direct', 'sealed', '\x0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO batch VALUES ('\x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502', '{"first_number":"46179488366593","count":3,"tier":3,"total":"3000048","recipient":"0x0000000000000000000000000000000000000000","expires_at":588558582637,"payments_hash":"0xad42ae7549904345d10ce71833f4b0cb6df3f65a532754f35d88ac147dfbad97","context":"0x82a09cb33a07bf1b10232e581f738571293b32b153564866c69ef1c76a92be99"}', '\x7dd8c0154cbe0f9e305e67c5247f2ee8ae987c060000000000000000000f425620dd72172e4bd9c99a919c217dd8c015c4f800fb1de763ee06b79fad771b2e97161ef7be0000000000000000000f425245a9ae46a4c3f09611b66629c4f800fb609e9ad72bcf844975f740bddbafde0a0de6dc060000000000000000000f42487b2d9ad83603f6d16ce3a070609e9ad7', 'direct', 'dead', '\x0000000000000000000000000000000000000000000000000000000000000005');
INSERT INTO batch VALUES ('\x4141781e3112988b1c987bf7078336dd7aec31271d3ef77975b63070b7ca976a', '{"first_number":"9223372036854776320","count":2,"tier":1,"total":"2000003","recipient":"0x0000000000000000000000000000000000000000","expires_at":750376199473,"payments_hash":"0x7ecf0b7967c966ad020acf322163f60dcabda418838cf6c8a92d3cc4f23751cb","context":"0x4c0d8e3a469c7b2adf1361629b5d5f951530e87a14f26d08fcc227823cedeeb5"}', '\xc306702f67540b53c7eea8b7d2941044b027100f0000000000000000000f42416c31fc15422ebad28aaf9089c306702f8fd42cc52aee8cf5c4e7cfafe58c92b2ed138e040000000000000000000f4242859f11b75569a4eb0496c5138fd42cc5', 'proposal', 'dead', '\x0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO batch VALUES ('\x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06', '{"first_number":"9223418216343142400","count":1,"tier":0,"total":"1000003","recipient":"0xd053a1f0c6e70ea42862e5ef4ad66b3666c5e2af","expires_at":297546581659,"payments_hash":"0xba552018587e433941a5c94bcee385ba4dfb11e6a1ad250327ceef899a5d6e3b","context":"0x9b410d9557f3e347cade62f682e1ae328b416a31b297009d78dc6af0f2dab2b9"}', '\xd053a1f0c6e70ea42862e5ef4ad66b3666c5e2af0000000000000000000f4243d4c69e49e83a6047f46e42b2d053a1f0', 'proposal', 'final', '\x0000000000000000000000000000000000000000000000000000000000000001');
INSERT INTO batch VALUES ('\x59162fdb136bf33a46874670d061993877f01345c04bf464f9c7205d26183310', '{"first_number":"9223418216343142401","count":3,"tier":1,"total":"3000029","recipient":"0x0000000000000000000000000000000000000000","expires_at":934799533476,"payments_hash":"0x2a59379a6d8767161816e40fd665b5e219c907424e6aa49360d61ed1a5caee82","context":"0xf0749c1f85d57c80b21ecbdede354a74d1648aabd35ecab7dbe2aa3783e8e85d"}', '\x9b104f0e005238dcd1cbaf844fd9f40d63174c560000000000000000000f4244d2ed8d75f801ae8a206c07ff9b104f0e330725d05fd8960ebedae32eb1868990b29a90560000000000000000000f4249c05de23bfc9a474d4cb19960330725d0c2c93ad8b5aa82ee66772cd6c88fe08a7641e97e0000000000000000000f4250c7d45de61fbaffaad10c6cffc2c93ad8', 'proposal', 'sealed', '\x0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO batch VALUES ('\x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad', '{"first_number":"46179488366592","count":1,"tier":2,"total":"1000007","recipient":"0xf721ea6b3ec88def0a8c3d3f7d31e775eed05347","expires_at":454749498981,"payments_hash":"0x005dab36e877eeb82f42d96f9bf3d69ea67bff827ec66fa5c41ea3a5151d9327","context":"0x01cde649bc52c6dfa6cd0d0692518cb588a7fbbf83da0bf2d4ae41ab4175ef5b"}', '\xf721ea6b3ec88def0a8c3d3f7d31e775eed053470000000000000000000f4247ea2e640cf9cf85178466ebb2f721ea6b', 'direct', 'final', '\x0000000000000000000000000000000000000000000000000000000000000001');
INSERT INTO batch VALUES ('\xac5a4019618f80e5c89eab4c8823a97588090f49b4e5b4de41b5bd78ebb52b6c', '{"first_number":"46179488366593","count":1,"tier":3,"total":"1000022","recipient":"0x7dd8c0154cbe0f9e305e67c5247f2ee8ae987c06","expires_at":145590713516,"payments_hash":"0x94adb488982aef5ed259824febc3661d4ab853f7360e4eb5715c38464655306c","context":"0x980e19ad1f2efdb92e9153e04a4c4b306a61a2e474ac18d36e441a3d7a15d033"}', '\x7dd8c0154cbe0f9e305e67c5247f2ee8ae987c060000000000000000000f425620dd72172e4bd9c99a919c217dd8c015', 'direct', 'final', '\x0000000000000000000000000000000000000000000000000000000000000001');
INSERT INTO batch VALUES ('\xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d', '{"first_number":"46179488366596","count":1,"tier":3,"total":"1000017","recipient":"0x95be0febe83929df38e87208aecf641db0418e55","expires_at":381048249425,"payments_hash":"0xf82e7282e9ffb5c36bd874d86d3cc325578b50ffeb9064d5a685b629210c79b3","context":"0xe7d4d9b8af00d080677a5972048b44c003611c94a4595ea131058f2f7c07a29c"}', '\x95be0febe83929df38e87208aecf641db0418e550000000000000000000f42514e86d666b86e18211956872f95be0feb', 'direct', 'sealed', '\x0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO slot VALUES (7, 'consumed', '{"do":"void"}', NULL);
INSERT INTO slot VALUES (8, 'consumed', '{"do":"pay","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06"}', '\x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06');
INSERT INTO slot VALUES (9, 'consumed', '{"do":"void"}', NULL);
INSERT INTO slot VALUES (10, 'consumed', '{"do":"pay","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad"}', '\x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad');
INSERT INTO slot VALUES (11, 'occupied', '{"do":"propose","batch":"0xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d"}', '\xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d');
INSERT INTO slot VALUES (12, 'reserved', '{"do":"pay","batch":"0x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502"}', '\x27d043bbafbb8de5cb0bb79e01949b425ba1e1db44e591669cb5727e04cc8502');
INSERT INTO slot VALUES (13, 'reserved', '{"do":"propose","batch":"0xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d"}', '\xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d');
INSERT INTO attempt VALUES ('\x069d39d477da26d606dc48342e7578e081a669252beee83d89660b58e7087c4e', 7, 0, '\xf8dc143a2d668085d137fa3890ad7394f9a4b0cf846be5a77430c04ad123a230d8862902bf6c6e4d', '286220327790995662517606260287941358902', '412785583', '{"do":"void"}', NULL, 'superseded');
INSERT INTO attempt VALUES ('\x36bc8bcc06feaee52143117a593673d203fb6987c0ffe0e1ddbf226e3d7b576f', 7, 1, '\x706a18eb4b56e69664ab041d19451db9fc3698cae8f7d1e6ec6cab8b569f39d11b4e2827ac5f441b', '323002039508258172738170809394007957610', '137269782', '{"do":"void"}', NULL, 'consumed');
INSERT INTO attempt VALUES ('\x5f370d5d9c9ce56ea8df7c80dc074972464274e2262cd5fb71d52ca8244f7d38', 8, 0, '\xd1fe6b91bb9b38a5614e38cf0018efdab37d18aa870c09bff063f5dfa2456a2f3d1f3655474d856a', '44123561737290311582559410388558875341', '146727074', '{"do":"execute","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad","skip":"0x5dc4bb321a306664"}', '\x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad', 'superseded');
INSERT INTO attempt VALUES ('\x5ec4a60d82424512198257dd74a2a6434f9c4eb85753072b34c1ce3d20e88ac6', 8, 1, '\xf19a2adf5c771ebe7af360201fd1532bd9ab1b85eafff63895763fe010e19e48bfbdbae7d68c5147', '37017075976543175733373176066097628287', '104315508', '{"do":"pay","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06"}', '\x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06', 'consumed');
INSERT INTO attempt VALUES ('\xfa9ad0bb1408913909611a43822ba87230e251534b3159ccf608f7dc49908fca', 8, 2, '\x4884063c459dbfe728be0ff443a372a13f20ca62c9872898c5c767da2e70983a619460e78264bacf', '28796755127806353480597934495053353859', '304220091', '{"do":"pay","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06"}', '\x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06', 'superseded');
INSERT INTO attempt VALUES ('\xf461dbcf84639b274ecddf91e4eb37a02cab6b946b924094edbd5551f5bf73f5', 10, 0, '\x8de0607ed90aa4bc576ecdb34da242b92be712f814f6141f08f2bdd805fa5fa7a5d57e3b78b7ab65', '22043056086036473410652549004878836000', '136507421', '{"do":"pay","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad"}', '\x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad', 'consumed');
INSERT INTO attempt VALUES ('\xf88eb66800aeaa561e09c41a7dffd3cc401e46546a12b39d2142abbdf735f205', 11, 0, '\xd3e5393cb730c0a4da8d12cbd50e502331b3154c7cbf2a693079711035e1056e3d71d3c0e875b124', '179428417645040827847917354800319864234', '155746783', '{"do":"execute","batch":"0x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad","skip":"0x252569aea2ffd424"}', '\x786ec8a6481ccd00290aed1680602d31e28a9180586a3c6da2994224bcc734ad', 'signed');
INSERT INTO attempt VALUES ('\x360f817192ac05bec798b09c9c52e1677a9e6303f2df34210003d440db797a15', 11, 1, '\x6680f0f1ce16bb1119b99678fc39549f5b2dfac83a27cfe8d2f6f7841f01e24aaf61770fcc64a197', '331208317874137561778244310979488005236', '965005591', '{"do":"propose","batch":"0x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06"}', '\x570377e4ec630a3fd606f80b99596b086ff666d04a437077504852c7768c7d06', 'signed');
INSERT INTO attempt VALUES ('\x61c8cd36e14a2e95b099efd99a14554e6118f027e537ed9f10ece8b5e94ec648', 11, 2, '\xf318a57a1bec17901240cc17f71f4779928732ec58727ca6f49a26682cbce3b570e6b100c844136e', '291724422396405483530078964233965496143', '129700707', '{"do":"propose","batch":"0xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d"}', '\xe843a576c63fcc435d6aab600535280b2adf745dd1e2960c94ea0f935e29a86d', 'signed');
INSERT INTO checkpoint VALUES ('\xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1', 111, '\xf01339ccc7fd20178a89f276662feceda4d9e3adf8b9164c6823885f69c9d6e0', 1700000111);
INSERT INTO meta VALUES ('schema', '2');
INSERT INTO meta VALUES ('identity', '{"domain":{"chain_id":31337,"vault":"0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"},"token":"0xa3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3","decimals":6}');
INSERT INTO meta VALUES ('log', '{"seq":80,"hash":"0xdf8e154e374b46ff35fed7f0a277ad31e14baf8387db0120977b2011ed47b044","opening":{"domain":{"chain_id":31337,"vault":"0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"},"keeper":"0xa4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4","first_nonce":7,"namespace":42,"start":{"number":100,"hash":"0xdc961d2e5d46532f7b9f65afdb640c5284dfb1a947abf2b23758931400995e0f","time":1700000100}},"mode":{"mode":"armed"},"quiet_until":null,"arrivals":24,"commands":5,"next_nonce":14,"next_direct":6,"next_proposal":4}');
UPDATE arrivals SET last = 1001 WHERE kind = 'request';
UPDATE arrivals SET last = 1001 WHERE kind = 'command';
