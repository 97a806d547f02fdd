"""Asks a RabbitMQ by a client that shares no code with the keeper's: pika.

rabbitmq_client.py PORT USER PASSWORD declare QUEUE...        makes durable queues
                                      exchange EXCHANGE       makes a durable topic exchange
                                      bind EXCHANGE QUEUE KEY makes a durable queue and binds it; KEY is a pattern of types of events
                                      delete QUEUE...
                                      send QUEUE              each line of the input is a message, as JSON: body (hexadecimal), headers;
                                                              until the broker has confirmed it
                                      ready QUEUE             how many messages wait
                                      take QUEUE              takes all that wait, and prints each, as JSON: body (hexadecimal), headers,
                                                              key, id, kind, type, persistent
"""

import json
import sys
import time

import pika

PATIENCE = 120  # seconds


def connect(port, user, password):
    """Until the broker answers: one that has just begun, on a machine that does much else, takes its time."""
    login = pika.PlainCredentials(user, password)
    where = pika.ConnectionParameters("127.0.0.1", port, "/", login, socket_timeout=60, stack_timeout=90)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return pika.BlockingConnection(where)
        except pika.exceptions.AMQPConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def bind(channel, exchange, queue, key):
    channel.queue_declare(queue, durable=True)
    channel.queue_bind(queue, exchange, key)


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
        print(json.dumps({
            "body": body.hex(),
            "headers": {name: text(value) for name, value in (properties.headers or {}).items()},
            "key": method.routing_key,
            "id": properties.message_id,
            "kind": properties.content_type,
            "type": properties.type,
            "persistent": properties.delivery_mode == 2,
        }))
        channel.basic_ack(method.delivery_tag)


COMMANDS = {
    "declare": lambda channel, *queues: [channel.queue_declare(queue, durable=True) for queue in queues],
    "exchange": lambda channel, exchange: channel.exchange_declare(exchange, "topic", durable=True),
    "bind": bind,
    "delete": lambda channel, *queues: [channel.queue_delete(queue) for queue in queues],
    "send": send,
    "ready": lambda channel, queue: print(channel.queue_declare(queue, passive=True).method.message_count),
    "take": take,
}


def main():
    port, user, password, command, *names = sys.argv[1:]
    connection = connect(int(port), user, password)
    COMMANDS[command](connection.channel(), *names)
    connection.close()


main()
