"""The walkthrough's send.py, for each line of standard input: send.py HOST PORT QUEUE"""
import sys

import pika

host, port, queue = sys.argv[1:]
connection = pika.BlockingConnection(pika.ConnectionParameters(host=host, port=int(port)))
channel = connection.channel()
persistent = pika.BasicProperties(delivery_mode=2)
for line in sys.stdin.buffer:
    channel.basic_publish(exchange="", routing_key=queue, body=line.rstrip(b"\n"), properties=persistent)
connection.close()
