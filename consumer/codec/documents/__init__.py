"""The contract as documents: JSON Schemas, samples, AsyncAPI and the page of messages.

All of it is made from the structs in handlers/: `python -m consumer.codec.documents`.
"""
