"""How many records of a topic a group has not committed, with kafka-python: what the keeper says is judged by no code of its own.

kafka_group.py SERVER GROUP TOPIC
"""

import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError


def again(ask):
    """A broker that has just begun makes the group's coordinator first."""
    end = time.monotonic() + 120
    while True:
        try:
            return ask()
        except KafkaError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def main():
    server, group, topic = sys.argv[1:]
    consumer = KafkaConsumer(bootstrap_servers=server)
    places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    assert places, "the broker does not tell its partitions"
    ends = consumer.end_offsets(places)
    committed = again(lambda: KafkaAdminClient(bootstrap_servers=server).list_group_offsets(group)[group])
    reached = {place: max(committed[place].offset, 0) if place in committed else 0 for place in places}
    print(sum(ends[place] - reached[place] for place in places))


main()
