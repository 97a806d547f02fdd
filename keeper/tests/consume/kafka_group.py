"""How many records of a topic a group has not committed, with kafka-python: what the keeper says is judged by no code of its own.

kafka_group.py SERVER GROUP TOPIC
"""

import sys

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition


def main():
    server, group, topic = sys.argv[1:]
    consumer = KafkaConsumer(bootstrap_servers=server)
    places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    ends = consumer.end_offsets(places)
    committed = KafkaAdminClient(bootstrap_servers=server).list_group_offsets(group)[group]
    reached = {place: max(committed[place].offset, 0) if place in committed else 0 for place in places}
    print(sum(ends[place] - reached[place] for place in places))


main()
