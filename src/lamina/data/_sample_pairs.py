"""Made-up questions to a public library and its answers: a small table of pairs for a chatbot."""

from collections.abc import Iterator

WAYS = (
    "{}",
    "Hello, {}",
    "Please tell me: {}",
    "{} I could not find it on your page.",
    "One more thing: {}",
    "Sorry, {}",
)
"""How people wrap what they ask."""

ASKED: dict[str, tuple[str, ...]] = {
    "We are open from Monday to Saturday, 9 to 19.": (
        "when do you open?", "what are your opening hours?", "until when are you open today?",
        "are you open on Saturday?",
    ),
    "On Sundays and holidays the library is closed; the book return by the door is always open.": (
        "are you open on Sunday?", "is the library closed on holidays?", "can I bring books back at night?",
    ),
    "A card costs 10 a year; under 18 it is free. Bring something with your name and address.": (
        "how do I get a card?", "what does a card cost?", "can my child have a card?", "how can I become a member?",
    ),
    "Your card was lost? We block it at once and make a new one for 3.": (
        "I lost my card", "somebody stole my card, what now?", "can I get a new card?",
    ),
    "You may keep books for four weeks, films and music for two.": (
        "how long may I keep a book?", "for how many weeks can I borrow films?", "when is my book due?",
    ),
    "You can renew twice, at the desk or with your card on our page, unless somebody waits for it.": (
        "how do I renew a book?", "can I keep it longer?", "is it possible to extend a loan?",
    ),
    "Each day costs 0.20 for every item that is late, 5 at most.": (
        "what do I pay when a book is late?", "how high is the fine?", "my book is overdue, what does it cost?",
    ),
    "Tell us at the desk: a lost or damaged book is replaced at its price.": (
        "I lost a book of yours", "my dog ate the book, what should I do?", "what if a page is torn?",
    ),
    "Twenty items at a time, five of them films.": (
        "how many books can I borrow?", "is there a limit of items?", "how many films may I take at once?",
    ),
    "Reserve it on our page or at the desk; we write to you when it is there.": (
        "how can I reserve a book?", "the book is out, can you keep it for me?", "can I put a title on hold?",
    ),
    "E-books are read with the app Shelf; sign in with the number of your card.": (
        "do you have e-books?", "how do I read electronic books?", "which app is for digital loans?",
    ),
    "There is free wireless internet: choose Library and type the number of your card.": (
        "is there wifi?", "how do I get on the internet here?", "what is the password of the wireless network?",
    ),
    "Computers stand on the first floor, an hour a day for everybody with a card.": (
        "may I use a computer?", "where are the computers?", "can I work on a PC here?",
    ),
    "Printing and copying cost 0.10 a page, in colour 0.40. The machines are beside the stairs.": (
        "can I print something?", "what does a copy cost?", "where is the printer?",
    ),
    "Study rooms are booked for two hours at the desk, without charge.": (
        "can I book a room?", "is there a quiet place for our group?", "how do I get a study room?",
    ),
    "Stories for children from 4 to 7 are read on Wednesdays at 16.": (
        "when are stories read to children?", "is there something for kids?", "do you have a story hour?",
    ),
    "The reading circle meets on the first Thursday of the month at 18; just come.": (
        "is there a book club?", "when does the reading circle meet?", "how do I join the book club?",
    ),
    "We take books that are less than five years old and clean; leave them at the desk.": (
        "do you take old books?", "can I donate books?", "where can I give away my novels?",
    ),
    "There is a lift at the back door, and every floor can be reached with a wheelchair.": (
        "is there a lift?", "can I come with a wheelchair?", "is the building accessible?",
    ),
    "You may park behind the house for two hours; bus 4 stops at the door.": (
        "where can I park?", "which bus goes to the library?", "how do I get to you?",
    ),
    "Write a wish at the desk or on our page: we buy most of what is asked for.": (
        "can you buy a book for me?", "I have a suggestion for a title", "why do you not have this novel?",
    ),
    "Books of other libraries come within a week and cost 2 each.": (
        "can you get a book from another library?", "do you offer interlibrary loan?",
        "the title is only in the next town",
    ),
    "Coffee is on the ground floor, and drinks with a lid may come along everywhere.": (
        "can I drink coffee here?", "is there a cafe?", "may I eat in the reading room?",
    ),
    "Call 555 0142 or write to desk@library.example; we answer on the same day.": (
        "what is your phone number?", "how can I contact you?", "can I write an email to somebody?",
    ),
}  # fmt: skip
"""Every answer with some ways to ask for it."""


def pairs() -> Iterator[tuple[str, str]]:
    """(question, answer) in an order that a person might keep them in: answer by answer."""
    for answer, questions in ASKED.items():
        for question in questions:
            for way in WAYS:
                said = way.format(question)
                yield said[0].upper() + said[1:], answer
