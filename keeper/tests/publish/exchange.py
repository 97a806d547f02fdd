"""Makes exchanges and queues of RabbitMQ and counts what is in them, with pika: what the keeper does is judged by no code of its own.

exchange.py PORT declare EXCHANGE        makes a durable topic exchange
exchange.py PORT bind EXCHANGE QUEUE KEY makes a durable queue and binds it; KEY is a pattern of types of events
exchange.py PORT ready QUEUE             how many messages wait
exchange.py PORT take QUEUE              takes all that wait, and prints each as JSON: body, key, id, kind, type, persistent
"""

import json
import sys

import pika


def take(channel, queue):
    while True:
        method, properties, body = channel.basic_get(queue)
        if method is None:
            return
        print(json.dumps({
            "body": body.decode(),
            "key": method.routing_key,
            "id": properties.message_id,
            "kind": properties.content_type,
            "type": properties.type,
            "persistent": properties.delivery_mode == 2,
        }))
        channel.basic_ack(method.delivery_tag)


def main():
    port, command, *names = sys.argv[1:]
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    channel = connection.channel()
    if command == "declare":
        channel.exchange_declare(names[0], "topic", durable=True)
    elif command == "bind":
        exchange, queue, key = names
        channel.queue_declare(queue, durable=True)
        channel.queue_bind(queue, exchange, key)
    elif command == "ready":
        print(channel.queue_declare(names[0], passive=True).method.message_count)
    elif command == "take":
        take(channel, names[0])
    connection.close()


main()
