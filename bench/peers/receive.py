"""The walkthrough's receive.py, until COUNT messages have come: receive.py HOST PORT QUEUE COUNT"""
import sys

import pika

host, port, queue, count = sys.argv[1:]
connection = pika.BlockingConnection(pika.ConnectionParameters(host=host, port=int(port)))
channel = connection.channel()
left = int(count)


def callback(ch, method, properties, body):
    global left
    sys.stdout.buffer.write(body + b"\n")
    left -= 1
    if left == 0:
        ch.stop_consuming()


channel.basic_consume(queue=queue, on_message_callback=callback, auto_ack=True)
channel.start_consuming()
connection.close()
