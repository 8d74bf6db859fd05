"""Which replies to learn from when there are more than wanted: chosen to be unlike each other, never the first n."""

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

__all__ = ["choose_replies"]

WORD = re.compile(r"\w+")
STRETCHED = re.compile(r"(\w{1,3}?)\1+")  # okkk, hahaha
LENGTHS = (2, 5, 10, 20, 40)  # words; a reply competes only with replies of about its length


def choose_replies(replies: Sequence[str], most: int) -> list[int]:
    """Indices of at most `most` replies, in order, diverse in words and lengths.

    Of n replies that differ only in case, signs or stretched letters ("ok", "Ok!!", "okkk") about the square root of n
    stay, so what is common is thinned and still the commonest. Each length keeps its place; among the longer replies
    each next choice is the one that adds the most of what has been said least.
    """
    if len(replies) <= most:
        return list(range(len(replies)))
    words = [WORD.findall(reply.casefold()) for reply in replies]
    lengths = [sum(len(said) > limit for limit in LENGTHS) for said in words]
    strata: dict[int, list[int]] = defaultdict(list)
    for index in thinned([normal_form(said) for said in words]):
        strata[lengths[index]].append(index)
    before = Counter(lengths)
    # Between what a length's share was and what thinning left of it.
    weights = [math.sqrt(before[length] * len(members)) for length, members in strata.items()]
    chosen: list[int] = []
    for (length, members), weight in zip(strata.items(), weights, strict=True):
        share = min(len(members), int(most * weight / sum(weights)))
        # One or two words tell little by what they are; how often each is said is the person's way.
        chosen += most_telling(members, words, share) if length else spread(members, share)
    rest = sorted(set(range(len(replies))) - set(chosen))
    return sorted([*chosen, *spread(rest, most - len(chosen))])


def normal_form(words: Sequence[str]) -> str:
    return " ".join(STRETCHED.sub(r"\1", word) for word in words)


def thinned(forms: Sequence[str]) -> list[int]:
    """Indices that stay: of n replies of one form about the square root of n."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, form in enumerate(forms):
        places[form].append(index)
    return sorted(index for same in places.values() for index in spread(same, round(math.sqrt(len(same)))))


def spread(members: Sequence[int], count: int) -> list[int]:
    """`count` of the members, evenly over time."""
    return [members[place * len(members) // count] for place in range(count)]


def most_telling(members: Sequence[int], words: Sequence[Sequence[str]], count: int) -> list[int]:
    """`count` of the members, each time the one whose words have been said least so far (lazy greedy)."""
    rarity = Counter(word for index in members for word in set(words[index]))
    said: Counter[str] = Counter()

    def gain(index: int) -> float:
        different = dict.fromkeys(words[index])  # in order, so that the sum is the same in every process
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
