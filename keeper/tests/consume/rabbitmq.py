"""Puts messages into queues of RabbitMQ, looks at them and counts, with pika: what the keeper does is judged by no code of its own.

rabbitmq.py PORT declare QUEUE...   makes durable queues
rabbitmq.py PORT delete QUEUE...
rabbitmq.py PORT send QUEUE         each line of the input is a message, as JSON: body (hexadecimal), headers; until the broker has confirmed it
rabbitmq.py PORT ready QUEUE        how many messages wait
rabbitmq.py PORT take QUEUE         takes all that wait, and prints each as JSON: body (hexadecimal), headers, persistent, kind

Its user is keeper, whose password is in the variable RABBITMQ_PASSWORD.
"""

import json
import os
import sys

import pika


def connect(port):
    login = pika.PlainCredentials("keeper", os.environ["RABBITMQ_PASSWORD"])
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, "/", login))


def send(channel, queue):
    channel.confirm_delivery()
    for line in sys.stdin:
        message = json.loads(line)
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/json", headers=message.get("headers"))
        channel.basic_publish("", queue, bytes.fromhex(message["body"]), properties, mandatory=True)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def take(channel, queue):
    while True:
        method, properties, body = channel.basic_get(queue)
        if method is None:
            return
        headers = {name: text(value) for name, value in (properties.headers or {}).items()}
        print(json.dumps({
            "body": body.hex(),
            "headers": headers,
            "persistent": properties.delivery_mode == 2,
            "kind": properties.content_type,
        }))
        channel.basic_ack(method.delivery_tag)


def main():
    port, command, *queues = sys.argv[1:]
    connection = connect(int(port))
    channel = connection.channel()
    for queue in queues:
        if command == "declare":
            channel.queue_declare(queue, durable=True)
        elif command == "delete":
            channel.queue_delete(queue)
        elif command == "send":
            send(channel, queue)
        elif command == "ready":
            print(channel.queue_declare(queue, passive=True).method.message_count)
        elif command == "take":
            take(channel, queue)
        else:
            sys.exit(__doc__)
    connection.close()


main()
