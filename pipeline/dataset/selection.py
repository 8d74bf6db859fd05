"""Which replies to learn from when there are more than wanted: chosen to be unlike each other, never the first n."""

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

__all__ = ["choose_replies"]

WORD = re.compile(r"\w+")
LENGTHS = (2, 5, 10, 20, 40)  # words; a reply competes only with replies of about its length


def choose_replies(replies: Sequence[str], most: int) -> list[int]:
    """Indices of at most `most` replies, in order, diverse in words and lengths.

    Replies that differ only in case, signs or stretched letters ("ok", "Ok!!", "okkk") count as one for each time the
    number of them doubles, so the common ones are thinned but stay the commonest. Lengths keep their shares, and within
    a length each next choice is the reply that adds the most of what has been said least.
    """
    if len(replies) <= most:
        return list(range(len(replies)))
    words = [WORD.findall(reply.casefold()) for reply in replies]
    wanted = thinned([normal_form(said) for said in words])
    strata: dict[int, list[int]] = defaultdict(list)
    for index in wanted:
        strata[sum(len(words[index]) > limit for limit in LENGTHS)].append(index)
    chosen: list[int] = []
    for members, share in zip(strata.values(), shares([len(m) for m in strata.values()], most), strict=True):
        chosen += most_telling(members, words, share)
    if len(chosen) < most:  # thinning left fewer than wanted: the rest of the near-duplicates, evenly over time
        rest = sorted(set(range(len(replies))) - set(chosen))
        missing = most - len(chosen)
        chosen += [rest[place * len(rest) // missing] for place in range(missing)]
    return sorted(chosen)


def normal_form(words: Sequence[str]) -> str:
    return " ".join(re.sub(r"(\w)\1+", r"\1", word) for word in words)


def thinned(forms: Sequence[str]) -> list[int]:
    """Indices that stay: of n replies of one form about log2(n) + 1, evenly over time."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, form in enumerate(forms):
        places[form].append(index)
    kept = []
    for same in places.values():
        count = 1 + int(math.log2(len(same)))
        kept += [same[place * len(same) // count] for place in range(count)]
    return sorted(kept)


def shares(sizes: Sequence[int], most: int) -> list[int]:
    """How many to take of each group: in proportion, rounded so that the sum is `most` or all there are."""
    total = sum(sizes)
    if total <= most:
        return list(sizes)
    exact = [size * most / total for size in sizes]
    taken = [int(share) for share in exact]
    by_rest = sorted(range(len(sizes)), key=lambda place: taken[place] - exact[place])
    for place in by_rest[: most - sum(taken)]:
        taken[place] += 1
    return taken


def most_telling(members: Sequence[int], words: Sequence[Sequence[str]], count: int) -> list[int]:
    """`count` of the members, each time the one whose words have been said least so far (lazy greedy)."""
    rarity = Counter(word for index in members for word in set(words[index]))
    said: Counter[str] = Counter()

    def gain(index: int) -> float:
        different = set(words[index])
        new = sum(math.log(1 + len(members) / rarity[word]) / (1 + said[word]) for word in different)
        return new / math.sqrt(len(different) or 1)

    heap = [(-gain(index), index) for index in members]
    heapq.heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < count:
        _, index = heapq.heappop(heap)
        current = -gain(index)
        # A gain only falls as words are said, so one that still leads after a fresh count leads for sure.
        if heap and current > heap[0][0]:
            heapq.heappush(heap, (current, index))
            continue
        chosen.append(index)
        said.update(set(words[index]))
    return chosen
