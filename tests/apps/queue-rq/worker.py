from rq import Worker

from queues import connection, queue

if __name__ == "__main__":
    Worker([queue], connection=connection).work()
