"""Records that no reader can read: batches as a producer of poor make writes them, taken by a broker that looks into none."""

from __future__ import annotations

import struct
from collections.abc import Callable

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

_CRC, _ATTRIBUTES, _RECORDS = 17, 21, 61
"""Where these stand in a batch of the second format."""
_NAME = "name-of-a-header"


def _codec(number: int) -> Callable[[bytearray], bytes]:
    def as_if_compressed(batch: bytearray) -> bytes:
        batch[_ATTRIBUTES + 1] |= number
        return bytes(batch)

    return as_if_compressed


def _wrong_length(batch: bytearray) -> bytes:
    batch[_RECORDS] = 0x7E
    return bytes(batch)


BREAKS: dict[str, Callable[[bytearray], bytes]] = {
    "a codec that nobody knows": _codec(5),
    "gzip that is none": _codec(1),
    "snappy that is none": _codec(2),
    "lz4 that is none": _codec(3),
    "zstd that is none": _codec(4),
    "a record of another length": _wrong_length,
    "a header whose name is no text": lambda batch: bytes(batch).replace(_NAME.encode(), b"\xff" * len(_NAME)),
}
"""Ways to break a batch whose checksum holds all the same."""


async def write_broken(address: str, topic: str, partition: int, values: list[bytes], how: str) -> None:
    """Write the values as one batch, broken so."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for place, value in enumerate(values):
        builder.append(place, 1_700_000_000_000, b"broken", value, [(_NAME, b"1")])
    batch = BREAKS[how](bytearray(builder.build()))
    sealed = batch[:_CRC] + struct.pack(">I", calc_crc32c(batch[_ATTRIBUTES:])) + batch[_ATTRIBUTES:]
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    try:
        await producer.partitions_for(topic)
        leader = producer.client.cluster.leader_for_partition(TopicPartition(topic, partition))
        request = ProduceRequest(
            required_acks=-1, timeout=5000, topics=[(topic, [(partition, sealed)])], transactional_id=None
        )
        answer = await producer.client.send(leader, request)
        code = answer.topics[0][1][0][1]
        if code:
            raise for_code(code)
    finally:
        await producer.stop()
