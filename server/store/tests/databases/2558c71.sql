-- A database as the code of commit 2558c71 wrote it, before migrations and events had columns (schema migration 0004).
-- Made by a program that called that commit's SqliteStore, and dumped with sqlite3's .dump. It is never made anew: a test opens it with
-- today's code and looks whether everything is found (src/sqlite/tests.rs).
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES(1,'first','2026-11-26 10:35:30',1,X'bb11fd309e381bb02f86ef4ffacb35357500d8b15e3080a38b46997019502008cfe0c6cc5a4e97a9987c1bbec9861764',3657853);
INSERT INTO _sqlx_migrations VALUES(2,'known networks','2026-11-26 10:35:30',1,X'a94733f5267e737dd41ccd2396c97b54324c3359def08e2ac3056b49501ff89d0a42a5867c4b76e9d5bc209d95efdb61',3988792);
INSERT INTO _sqlx_migrations VALUES(3,'hosts','2026-11-26 10:35:30',1,X'74f20d7a977ac0426b9c4d7955fbd226d09a84f559a9cad0d28b34399b93c5531fd86653908bd095158368491bdc4eea',4011941);
CREATE TABLE migrations (
    id   TEXT PRIMARY KEY NOT NULL, -- a UUIDv7: sorts by time
    vm   TEXT NOT NULL,
    open INTEGER NOT NULL,          -- 1 until it has ended
    json TEXT NOT NULL
) STRICT;
INSERT INTO migrations VALUES('01a1f82f-1e80-7123-8000-000000000abc','0a1b2c3d-0000-4000-8000-000000000001',0,'{"id":"01a1f82f-1e80-7123-8000-000000000abc","vm":"0a1b2c3d-0000-4000-8000-000000000001","vm_name":"web","source":"alpha","destination":"beta","mode":"live","options":{"keep_source_definition":true,"bandwidth_mib_s":50,"new_name":"web2","pools":{"vda":"default"},"eject_media":true,"remove_source_disks":false,"way":"peer-to-peer","encrypt":true,"rdma":false},"way":"peer-to-peer","encrypted":true,"disks":[{"target":"vda","source":"/var/lib/web.qcow2","pool":"default","volume":"web.qcow2","path":"/pool/web.qcow2","created":true}],"requested_by":"ada","phase":"succeeded","cancel_requested":false,"created_at_ms":1795165200000,"ended_at_ms":1795165214000,"progress":{"percent":100.0,"elapsed_ms":14000,"bytes_total":0,"bytes_processed":0,"bytes_remaining":0,"throughput_bytes_s":0,"dirty_bytes_s":0,"memory_pass":0,"expected_downtime_ms":null,"time_left":null,"convergence":"unknown"},"outcome":{"total_ms":14000,"downtime_ms":42,"bytes":1073741824,"average_bytes_s":104857600},"problem":null}');
INSERT INTO migrations VALUES('01a1f830-08e0-7123-8000-000000000abd','0a1b2c3d-0000-4000-8000-000000000002',0,'{"id":"01a1f830-08e0-7123-8000-000000000abd","vm":"0a1b2c3d-0000-4000-8000-000000000002","vm_name":"db","source":"beta","destination":"gamma","mode":"live","options":{"keep_source_definition":false,"bandwidth_mib_s":null,"eject_media":false,"remove_source_disks":false,"rdma":false},"encrypted":false,"requested_by":"grace","phase":"failed","cancel_requested":false,"created_at_ms":1795165260000,"ended_at_ms":1795165265000,"progress":{"percent":41.5,"elapsed_ms":5000,"bytes_total":0,"bytes_processed":0,"bytes_remaining":0,"throughput_bytes_s":0,"dirty_bytes_s":0,"memory_pass":0,"expected_downtime_ms":null,"time_left":null,"convergence":"unknown"},"outcome":null,"problem":{"code":"hypervisor","sentence":"libvirt on beta says no.","fix":"Look there.","details":"error: ''x'' \"y\""}}');
INSERT INTO migrations VALUES('01a1f830-f340-7123-8000-000000000abe','0a1b2c3d-0000-4000-8000-000000000002',0,'{"id":"01a1f830-f340-7123-8000-000000000abe","vm":"0a1b2c3d-0000-4000-8000-000000000002","vm_name":"db","source":"beta","destination":"alpha","mode":"live","options":{"keep_source_definition":false,"bandwidth_mib_s":null,"eject_media":false,"remove_source_disks":false,"rdma":false},"encrypted":false,"requested_by":"ada","phase":"cancelled","cancel_requested":true,"created_at_ms":1795165320000,"ended_at_ms":1795165327000,"progress":{"percent":41.5,"elapsed_ms":7000,"bytes_total":0,"bytes_processed":0,"bytes_remaining":0,"throughput_bytes_s":0,"dirty_bytes_s":0,"memory_pass":0,"expected_downtime_ms":null,"time_left":null,"convergence":"unknown"},"outcome":null,"problem":null}');
INSERT INTO migrations VALUES('01a1f831-dda0-7123-8000-000000000abf','0a1b2c3d-0000-4000-8000-000000000003',0,'{"id":"01a1f831-dda0-7123-8000-000000000abf","vm":"0a1b2c3d-0000-4000-8000-000000000003","vm_name":"mail server","source":"alpha","destination":"192-0-2-77","mode":"live","options":{"keep_source_definition":false,"bandwidth_mib_s":null,"eject_media":false,"remove_source_disks":false,"rdma":false},"way":"direct","encrypted":false,"unregistered":{"name":"192-0-2-77","transport":"ssh","address":"192.0.2.77","user":"root","login":"password"},"requested_by":"ada","phase":"needs-attention","cancel_requested":false,"created_at_ms":1795165380000,"ended_at_ms":1795165470000,"progress":{"percent":41.5,"elapsed_ms":90000,"bytes_total":0,"bytes_processed":0,"bytes_remaining":0,"throughput_bytes_s":0,"dirty_bytes_s":0,"memory_pass":0,"expected_downtime_ms":null,"time_left":null,"convergence":"unknown"},"outcome":null,"problem":{"code":"needs-attention","sentence":"It is not certain."}}');
INSERT INTO migrations VALUES('01a1f832-c800-7123-8000-000000000ac0','0a1b2c3d-0000-4000-8000-000000000001',1,'{"id":"01a1f832-c800-7123-8000-000000000ac0","vm":"0a1b2c3d-0000-4000-8000-000000000001","vm_name":"web","source":"beta","destination":"alpha","mode":"live","options":{"keep_source_definition":false,"bandwidth_mib_s":null,"eject_media":false,"remove_source_disks":false,"rdma":false},"encrypted":false,"requested_by":"grace","phase":"copying-memory","cancel_requested":false,"created_at_ms":1795165440000,"ended_at_ms":null,"progress":{"percent":12.5,"elapsed_ms":0,"bytes_total":1073741824,"bytes_processed":0,"bytes_remaining":0,"throughput_bytes_s":0,"dirty_bytes_s":0,"memory_pass":0,"expected_downtime_ms":null,"time_left":null,"convergence":"unknown"},"outcome":null,"problem":null}');
INSERT INTO migrations VALUES('01a1f833-b260-7123-8000-000000000ac1','0a1b2c3d-0000-4000-8000-000000000004',1,'{"id":"01a1f833-b260-7123-8000-000000000ac1","vm":"0a1b2c3d-0000-4000-8000-000000000004","vm_name":"cache","source":"gamma","destination":"alpha","mode":"offline","options":{"keep_source_definition":false,"bandwidth_mib_s":null,"eject_media":false,"remove_source_disks":false,"rdma":false},"encrypted":false,"requested_by":"ada","phase":"verifying","cancel_requested":false,"created_at_ms":1795165500000,"ended_at_ms":null,"progress":{"percent":0.0,"elapsed_ms":0,"bytes_total":0,"bytes_processed":0,"bytes_remaining":0,"throughput_bytes_s":0,"dirty_bytes_s":0,"memory_pass":0,"expected_downtime_ms":null,"time_left":null,"convergence":"unknown"},"outcome":null,"problem":null}');
INSERT INTO migrations VALUES('01a1f834-9cc0-7123-8000-000000000ac2','0a1b2c3d-0000-4000-8000-000000000005',1,'{"id":"01a1f834-9cc0-7123-8000-000000000ac2","vm":"0a1b2c3d-0000-4000-8000-000000000005","vm_name":"größe","source":"gamma","destination":"beta","mode":"live","options":{"keep_source_definition":false,"bandwidth_mib_s":null,"eject_media":false,"remove_source_disks":false,"rdma":false},"encrypted":false,"requested_by":"ada","phase":"queued","cancel_requested":false,"created_at_ms":1795165560000,"ended_at_ms":null,"progress":{"percent":0.0,"elapsed_ms":0,"bytes_total":0,"bytes_processed":0,"bytes_remaining":0,"throughput_bytes_s":0,"dirty_bytes_s":0,"memory_pass":0,"expected_downtime_ms":null,"time_left":null,"convergence":"unknown"},"outcome":null,"problem":null}');
CREATE TABLE migration_events (
    number    INTEGER PRIMARY KEY,
    migration TEXT NOT NULL REFERENCES migrations (id),
    json      TEXT NOT NULL
) STRICT;
INSERT INTO migration_events VALUES(1,'01a1f82f-1e80-7123-8000-000000000abc','{"at_ms":1795165201000,"phase":"checking","text":"Checking"}');
INSERT INTO migration_events VALUES(2,'01a1f82f-1e80-7123-8000-000000000abc','{"at_ms":1795165202000,"phase":"preparing","text":"Preparing the destination"}');
INSERT INTO migration_events VALUES(3,'01a1f82f-1e80-7123-8000-000000000abc','{"at_ms":1795165203000,"phase":"copying-disks","text":"Copying disks"}');
INSERT INTO migration_events VALUES(4,'01a1f82f-1e80-7123-8000-000000000abc','{"at_ms":1795165209000,"phase":"copying-memory","text":"Copying memory"}');
INSERT INTO migration_events VALUES(5,'01a1f82f-1e80-7123-8000-000000000abc','{"at_ms":1795165212000,"phase":"switching-over","text":"Switching over"}');
INSERT INTO migration_events VALUES(6,'01a1f82f-1e80-7123-8000-000000000abc','{"at_ms":1795165213000,"phase":"verifying","text":"Verifying"}');
INSERT INTO migration_events VALUES(7,'01a1f82f-1e80-7123-8000-000000000abc','{"at_ms":1795165214000,"phase":"succeeded","text":"web runs on beta; \"done\" – ü"}');
INSERT INTO migration_events VALUES(8,'01a1f830-08e0-7123-8000-000000000abd','{"at_ms":1795165265000,"phase":"failed","text":"It failed."}');
INSERT INTO migration_events VALUES(9,'01a1f830-f340-7123-8000-000000000abe','{"at_ms":1795165327000,"phase":"cancelled","text":"grace cancelled it."}');
INSERT INTO migration_events VALUES(10,'01a1f831-dda0-7123-8000-000000000abf','{"at_ms":1795165470000,"phase":"needs-attention","text":"Both hosts were asked."}');
INSERT INTO migration_events VALUES(11,'01a1f832-c800-7123-8000-000000000ac0','{"at_ms":1795165441000,"phase":"copying-memory","text":"Copying memory"}');
INSERT INTO migration_events VALUES(12,'01a1f833-b260-7123-8000-000000000ac1','{"at_ms":1795165502000,"phase":"verifying","text":"Verifying"}');
CREATE TABLE sequence (next INTEGER NOT NULL) STRICT;
INSERT INTO sequence VALUES(5001);
CREATE TABLE users (
    name          TEXT PRIMARY KEY NOT NULL,
    password_hash TEXT NOT NULL,    -- a PHC string
    created_at    INTEGER NOT NULL
) STRICT;
INSERT INTO users VALUES('ada','$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',1795689330041);
INSERT INTO users VALUES('grace','$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',1795689330045);
CREATE TABLE sessions (
    id_hash    TEXT PRIMARY KEY NOT NULL, -- SHA-256 of the cookie, in hex: who reads the database can't use it
    user       TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    address    TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;
INSERT INTO sessions VALUES('abababababababababababababababababababababababababababababababab','ada',1795689330048,1795689330048,'192.0.2.1','Mozilla/5.0 "quoted" ü');
INSERT INTO sessions VALUES('cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','grace',1795689330048,1795689330048,'2001:db8::7','curl/8');
CREATE TABLE login_failures (
    key      TEXT PRIMARY KEY NOT NULL,
    failures INTEGER NOT NULL,
    last     INTEGER NOT NULL
) STRICT;
INSERT INTO login_failures VALUES('login 0123abcd',3,1795689330051);
INSERT INTO login_failures VALUES('address 198.51.100.66',3,1795689330051);
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    details TEXT NOT NULL           -- a JSON object
) STRICT;
INSERT INTO audit VALUES(1,1795689330041,'(command line)','user-added','{"user":"ada"}');
INSERT INTO audit VALUES(2,1795689330047,'(command line)','user-added','{"user":"grace"}');
INSERT INTO audit VALUES(3,1795689330049,'ada','login','{"address":"192.0.2.1"}');
INSERT INTO audit VALUES(4,1795689330051,'(unknown)','login-failed','{"address":"198.51.100.66"}');
INSERT INTO audit VALUES(5,1795689330052,'ada','host-added','{"address":"gamma.example.org","bandwidth_mib_s":100,"login":"console-key","name":"gamma","shared_directories":["/srv/images"],"transport":"ssh","user":"root"}');
INSERT INTO audit VALUES(6,1795689330061,'ada','host-added','{"address":"192.0.2.9","name":"delta","peer_address":"198.51.100.9","transport":"tls"}');
INSERT INTO audit VALUES(7,1795689330065,'ada','migration-started','{"destination":"beta","migration":"01a1f82f-1e80-7123-8000-000000000abc","phase":"queued","source":"alpha","vm":"0a1b2c3d-0000-4000-8000-000000000001","vm_name":"web"}');
INSERT INTO audit VALUES(8,1795689330074,'ada','migration-ended','{"destination":"beta","migration":"01a1f82f-1e80-7123-8000-000000000abc","phase":"succeeded","source":"alpha","vm":"0a1b2c3d-0000-4000-8000-000000000001","vm_name":"web"}');
INSERT INTO audit VALUES(9,1795689330074,'grace','migration-started','{"destination":"gamma","migration":"01a1f830-08e0-7123-8000-000000000abd","phase":"queued","source":"beta","vm":"0a1b2c3d-0000-4000-8000-000000000002","vm_name":"db"}');
INSERT INTO audit VALUES(10,1795689330075,'grace','migration-ended','{"destination":"gamma","migration":"01a1f830-08e0-7123-8000-000000000abd","phase":"failed","source":"beta","vm":"0a1b2c3d-0000-4000-8000-000000000002","vm_name":"db"}');
INSERT INTO audit VALUES(11,1795689330077,'ada','migration-started','{"destination":"alpha","migration":"01a1f830-f340-7123-8000-000000000abe","phase":"queued","source":"beta","vm":"0a1b2c3d-0000-4000-8000-000000000002","vm_name":"db"}');
INSERT INTO audit VALUES(12,1795689330077,'grace','migration-cancel','{"destination":"alpha","migration":"01a1f830-f340-7123-8000-000000000abe","phase":"queued","source":"beta","vm":"0a1b2c3d-0000-4000-8000-000000000002","vm_name":"db"}');
INSERT INTO audit VALUES(13,1795689330078,'ada','migration-ended','{"destination":"alpha","migration":"01a1f830-f340-7123-8000-000000000abe","phase":"cancelled","source":"beta","vm":"0a1b2c3d-0000-4000-8000-000000000002","vm_name":"db"}');
INSERT INTO audit VALUES(14,1795689330079,'ada','migration-started','{"destination":"192-0-2-77","migration":"01a1f831-dda0-7123-8000-000000000abf","phase":"queued","source":"alpha","vm":"0a1b2c3d-0000-4000-8000-000000000003","vm_name":"mail server"}');
INSERT INTO audit VALUES(15,1795689330080,'ada','migration-ended','{"destination":"192-0-2-77","migration":"01a1f831-dda0-7123-8000-000000000abf","phase":"needs-attention","source":"alpha","vm":"0a1b2c3d-0000-4000-8000-000000000003","vm_name":"mail server"}');
INSERT INTO audit VALUES(16,1795689330081,'grace','migration-started','{"destination":"alpha","migration":"01a1f832-c800-7123-8000-000000000ac0","phase":"queued","source":"beta","vm":"0a1b2c3d-0000-4000-8000-000000000001","vm_name":"web"}');
INSERT INTO audit VALUES(17,1795689330083,'ada','migration-started','{"destination":"alpha","migration":"01a1f833-b260-7123-8000-000000000ac1","phase":"queued","source":"gamma","vm":"0a1b2c3d-0000-4000-8000-000000000004","vm_name":"cache"}');
INSERT INTO audit VALUES(18,1795689330084,'ada','migration-started','{"destination":"beta","migration":"01a1f834-9cc0-7123-8000-000000000ac2","phase":"queued","source":"gamma","vm":"0a1b2c3d-0000-4000-8000-000000000005","vm_name":"größe"}');
CREATE TABLE known_networks (
    user    TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    network TEXT NOT NULL,
    PRIMARY KEY (user, network)
) STRICT;
INSERT INTO known_networks VALUES('ada','192.0.2.1');
INSERT INTO known_networks VALUES('grace','2001:db8::');
CREATE TABLE hosts (
    name     TEXT PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT;
INSERT INTO hosts VALUES('gamma','{"name":"gamma","transport":"ssh","address":"gamma.example.org","user":"root","login":"console-key","bandwidth_mib_s":100,"shared_directories":["/srv/images"]}');
INSERT INTO hosts VALUES('delta','{"name":"delta","transport":"tls","address":"192.0.2.9","peer_address":"198.51.100.9"}');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('audit',18);
CREATE UNIQUE INDEX one_open_migration_a_vm ON migrations (vm) WHERE open;
CREATE INDEX events_of_a_migration ON migration_events (migration, number);
CREATE INDEX sessions_of_a_user ON sessions (user);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
COMMIT;
