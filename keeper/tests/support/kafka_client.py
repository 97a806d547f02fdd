"""Asks a broker by a client that shares no code with the keeper's.

kafka_client.py SERVER make TOPIC PARTITIONS [SETTING=VALUE]...    makes a topic
                       set TOPIC SETTING=VALUE...                  changes its settings
                       send TOPIC                                  writes what stdin says, a line of JSON each: key, value, headers
                       leave_open ID                               the same, each with its topic, in a transaction of that id that the brokers'
                                                                   coordinator knows nothing of, and that nobody ends
                       read TOPIC          prints each committed record, a line of JSON each: partition, offset, key, value, headers;
                                           ends once no transaction is open and all before the end was read
                       behind TOPIC GROUP  how many records the group has not committed
"""

import json
import os
import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

PATIENCE = 240  # seconds


def again(what):
    """Until the broker answers."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return what()
        except KafkaError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def make(server, topic, partitions, *settings):
    wanted = NewTopic(topic, int(partitions), 1, topic_configs=dict(setting.split("=", 1) for setting in settings))
    admin = again(lambda: KafkaAdminClient(bootstrap_servers=server, bootstrap_timeout_ms=3000))

    # The client does not say what a broker has refused that is not yet ready.
    def made():
        try:
            admin.create_topics([wanted])
        except TopicAlreadyExistsError:
            pass
        if topic not in admin.list_topics():
            raise KafkaError("it is not there")

    again(made)


def set_settings(server, topic, *settings):
    wanted = ConfigResource(ConfigResourceType.TOPIC, topic, dict(setting.split("=", 1) for setting in settings))
    admin = again(lambda: KafkaAdminClient(bootstrap_servers=server, bootstrap_timeout_ms=3000))
    again(lambda: admin.alter_configs([wanted]))


def send(server, topic):
    producer = again(lambda: KafkaProducer(bootstrap_servers=server, acks="all", bootstrap_timeout_ms=3000))
    sent = []
    for line in sys.stdin:
        record = json.loads(line)
        headers = [(name, value.encode()) for name, value in record.get("headers", {}).items()]
        key = record.get("key")
        sent.append(producer.send(topic, record["value"].encode(), key and key.encode(), headers or None))
    for one in sent:
        one.get(PATIENCE)


def leave_open(server, identity):
    producer = again(lambda: KafkaProducer(bootstrap_servers=server, transactional_id=identity, bootstrap_timeout_ms=3000))
    manager = producer._transaction_manager
    manager.maybe_add_partition_to_transaction = manager._partitions_in_transaction.add
    producer.init_transactions()
    producer.begin_transaction()
    sent = []
    for line in sys.stdin:
        record = json.loads(line)
        headers = [(name, value.encode()) for name, value in record.get("headers", {}).items()]
        sent.append(producer.send(record["topic"], record["value"].encode(), record["key"].encode(), headers or None))
    for one in sent:
        one.get(PATIENCE)
    sys.stdout.flush()
    os._exit(0)


def reader(server, isolation):
    settings = dict(isolation_level=isolation, auto_offset_reset="earliest", enable_auto_commit=False)
    return again(lambda: KafkaConsumer(bootstrap_servers=server, bootstrap_timeout_ms=3000, **settings))


def read(server, topic):
    consumer, bare = reader(server, "read_committed"), reader(server, "read_uncommitted")
    places = [TopicPartition(topic, number) for number in sorted(again(lambda: consumer.partitions_for_topic(topic)) or [])]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    end = time.monotonic() + PATIENCE
    while True:
        ends = again(lambda: bare.end_offsets(places))
        if all(consumer.position(place) >= ends[place] for place in places):
            break
        if time.monotonic() > end:
            sys.exit(f"a transaction is open: {ends}, read up to {[consumer.position(place) for place in places]}")
        for records in consumer.poll(timeout_ms=200).values():
            for record in records:
                text = lambda value: None if value is None else value.decode()
                print(json.dumps({
                    "partition": record.partition, "offset": record.offset, "key": text(record.key), "value": text(record.value),
                    "headers": {name: text(value) for name, value in record.headers},
                }))


def behind(server, topic, group):
    consumer = reader(server, "read_uncommitted")
    places = [TopicPartition(topic, number) for number in again(lambda: consumer.partitions_for_topic(topic)) or ()]
    if not places:
        sys.exit(f"the broker does not tell the partitions of {topic}")
    ends = again(lambda: consumer.end_offsets(places))
    # A broker that has just begun makes the group's coordinator first.
    admin = again(lambda: KafkaAdminClient(bootstrap_servers=server, bootstrap_timeout_ms=3000))
    committed = again(lambda: admin.list_group_offsets(group)[group])
    reached = {place: max(committed[place].offset, 0) if place in committed else 0 for place in places}
    print(sum(ends[place] - reached[place] for place in places))


if __name__ == "__main__":
    server, command, *arguments = sys.argv[1:]
    {"make": make, "set": set_settings, "send": send, "leave_open": leave_open, "read": read, "behind": behind}[command](server, *arguments)
