"""python ingest.py LIST NUMBER OF: takes its share of the addresses in a file, in batches, and goes on when the file grows.

Started again, it goes on after its last whole batch: the count of addresses done stands in a progress file beside the list.
"""

import hashlib
import logging
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
import trafilatura
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

BATCH = 50
THREADS = 8

log = logging.getLogger("ingest")
session = requests.Session()


def fetch(url):
    try:
        response = session.get(url, timeout=10)
        response.raise_for_status()
        return url, response.text
    except requests.RequestException as error:
        log.warning("%s: %s", url, error)
        return url, None


def document(url, html, index):
    article = trafilatura.bare_extraction(html, url=url, with_metadata=True)
    if article is None or not article.text:
        log.warning("%s: no article", url)
        return None
    return {
        "_index": index,
        # A hash of the URL, the better of the two habits: many scripts give no id, and then every repeat is a document more.
        "_id": hashlib.sha256(url.encode()).hexdigest(),
        "url": url,
        "title": article.title,
        "text": article.text,
        "author": article.author,
        "date": article.date,
    }


def share(path, number, of):
    """The addresses of this process: every so many-th line."""
    lines = path.read_text().split("\n")[:-1]
    return lines[number::of]


def main():
    path, number, of = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    progress = path.with_suffix(f".{number}.done")
    done = int(progress.read_text()) if progress.exists() else 0
    client = Elasticsearch(os.environ["ELASTICSEARCH_URL"])
    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            batch = share(path, number, of)[done : done + BATCH]
            if not batch:
                time.sleep(1)
                continue
            pages = pool.map(fetch, batch)
            documents = [document(url, html, os.environ["INDEX"]) for url, html in pages if html]
            bulk(client, [each for each in documents if each])
            done += len(batch)
            progress.write_text(str(done))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main()
