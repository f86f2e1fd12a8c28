//! The words of that text, each in every language.

use crate::api::proto::{AttendanceMark, Channel, ConsentPurpose, OnBehalfOf, Sex, StepKind};

/// The languages, in the order of every list below.
pub(super) const LANGUAGES: [&str; 5] = ["lt", "en", "pl", "ru", "uk"];

pub(super) type Words = [&'static str; 5];

pub(super) const HEAD: Words = [
    "Ką saugome apie šią registraciją",
    "What is kept of this registration",
    "Co przechowujemy o tym zgłoszeniu",
    "Что мы храним об этой записи",
    "Що ми зберігаємо про цей запис",
];
pub(super) const EVENT: Words = ["Renginys", "Event", "Wydarzenie", "Мероприятие", "Подія"];
pub(super) const NUMBER: Words =
    ["Registracijos numeris", "Registration number", "Numer zgłoszenia", "Номер записи", "Номер запису"];
pub(super) const CONTACT: Words =
    ["Kontaktinis asmuo", "Contact", "Osoba kontaktowa", "Контактное лицо", "Контактна особа"];
pub(super) const EMAIL: Words = ["El. paštas", "E-mail", "E-mail", "Эл. почта", "Ел. пошта"];
pub(super) const PHONE: Words = ["Telefonas", "Telephone", "Telefon", "Телефон", "Телефон"];
pub(super) const LANGUAGE: Words = ["Kalba", "Language", "Język", "Язык", "Мова"];
pub(super) const MEMBER: Words = ["Dalyvis", "Member", "Uczestnik", "Участник", "Учасник"];
pub(super) const BORN: Words = ["gimimo metai", "born in", "rok urodzenia", "год рождения", "рік народження"];
pub(super) const PERSONS: Words = ["Asmenų", "Persons", "Liczba osób", "Человек", "Осіб"];
pub(super) const PLACE: Words = ["Savivaldybė", "Municipality", "Gmina", "Самоуправление", "Громада"];
pub(super) const ANSWER: Words = ["Atsakymas", "Answer", "Odpowiedź", "Ответ", "Відповідь"];
pub(super) const HISTORY: Words =
    ["Kas vyko", "What happened", "Co się wydarzyło", "Что происходило", "Що відбувалося"];
pub(super) const PRESENCE: Words = ["Dalyvavimas", "Attendance", "Obecność", "Посещение", "Відвідування"];
pub(super) const KEPT_CONTACT: Words = [
    "Kontaktus ir atsakymus saugome iki",
    "Contact and answers are kept until",
    "Kontakt i odpowiedzi przechowujemy do",
    "Контакты и ответы храним до",
    "Контакти та відповіді зберігаємо до",
];
pub(super) const KEPT_NAMES: Words = [
    "Vardus saugome iki",
    "Names are kept until",
    "Imiona i nazwiska przechowujemy do",
    "Имена храним до",
    "Імена зберігаємо до",
];
pub(super) const RESTRICTED: Words = [
    "Tvarkymas apribotas nuo",
    "Use is restricted since",
    "Przetwarzanie ograniczone od",
    "Обработка ограничена с",
    "Обробку обмежено з",
];
pub(super) const CONSENT: Words = ["Sutikimas", "Consent", "Zgoda", "Согласие", "Згода"];
pub(super) const WITHDRAWN: Words = ["atšauktas", "withdrawn", "wycofana", "отозвано", "відкликано"];
pub(super) const ERASED: Words = ["Ištrinta", "Erased", "Usunięto", "Удалено", "Видалено"];

pub(super) const SEX: Words = ["lytis", "sex", "płeć", "пол", "стать"];
pub(super) const ROLE: Words = ["vaidmuo", "role", "rola", "роль", "роль"];
pub(super) const REFERENCE: Words = [
    "ženklas portalo įrašuose",
    "reference in the portal's records",
    "oznaczenie w zapisach portalu",
    "обозначение в записях портала",
    "позначення в записах порталу",
];
pub(super) const PERSON: Words =
    ["asmuo ataskaitose", "person in reports", "osoba w sprawozdaniach", "лицо в отчётах", "особа у звітах"];
pub(super) const ADULTS: Words = ["Suaugusiųjų", "Adults", "Dorosłych", "Взрослых", "Дорослих"];
pub(super) const CHILDREN: Words = ["Vaikų", "Children", "Dzieci", "Детей", "Дітей"];
pub(super) const ELDERSHIP: Words = ["Seniūnija", "Eldership", "Starostwo", "Староство", "Староство"];
pub(super) const CHANNEL: Words = [
    "Kaip gauta registracija",
    "How the sign-up came",
    "Jak wpłynęło zgłoszenie",
    "Как поступила запись",
    "Як надійшов запис",
];
pub(super) const FOR_WHOM: Words =
    ["Kas registruojamas", "Who is signed up", "Kogo zgłoszono", "Кого записали", "Кого записано"];
pub(super) const POOLS: Words =
    ["Tinkamos vietos", "Seats that suit", "Odpowiednie miejsca", "Подходящие места", "Придатні місця"];
pub(super) const ELSEWHERE: Words = [
    "Tiktų ir kita savivaldybė",
    "Another municipality is fine too",
    "Może być inna gmina",
    "Подходит и другое самоуправление",
    "Підійде й інша громада",
];
pub(super) const YES: Words = ["taip", "yes", "tak", "да", "так"];
pub(super) const CHILDCARE: Words =
    ["Prižiūrėtinų vaikų", "Children to look after", "Dzieci do opieki", "Детей под присмотр", "Дітей під догляд"];
pub(super) const RIDES: Words = [
    "Vietų autobuse ar automobilyje",
    "Places in the bus or car",
    "Miejsc w autobusie lub aucie",
    "Мест в автобусе или машине",
    "Місць в автобусі чи авто",
];

pub(super) const SEXES: [(Sex, Words); 3] = [
    (Sex::Female, ["moteris", "female", "kobieta", "женский", "жіноча"]),
    (Sex::Male, ["vyras", "male", "mężczyzna", "мужской", "чоловіча"]),
    (Sex::Other, ["kita", "other", "inna", "другой", "інша"]),
];

pub(super) const CHANNELS: [(Channel, Words); 5] = [
    (Channel::Web, ["interneto svetainėje", "on a web page", "przez stronę internetową", "через сайт", "через сайт"]),
    (Channel::Phone, ["telefonu", "by telephone", "telefonicznie", "по телефону", "телефоном"]),
    (
        Channel::Message,
        [
            "žinute ar el. paštu",
            "by message or e-mail",
            "wiadomością lub e-mailem",
            "сообщением или по эл. почте",
            "повідомленням або ел. поштою",
        ],
    ),
    (Channel::InPerson, ["atvykus", "in person", "osobiście", "лично", "особисто"]),
    (
        Channel::Referral,
        [
            "nukreipė kita tarnyba",
            "sent by another service",
            "skierowała inna służba",
            "направила другая служба",
            "скерувала інша служба",
        ],
    ),
];

pub(super) const FOR: [(OnBehalfOf, Words); 6] = [
    (
        OnBehalfOf::Self_,
        [
            "kontaktinis asmuo, vienas ar su kitais",
            "the contact, alone or with others",
            "osoba kontaktowa, sama lub z innymi",
            "контактное лицо, одно или с другими",
            "контактна особа, сама або з іншими",
        ],
    ),
    (
        OnBehalfOf::Partner,
        ["partneris ar partnerė", "the contact's partner", "partner lub partnerka", "партнёр", "партнер або партнерка"],
    ),
    (OnBehalfOf::Child, ["vaikas", "the contact's child", "dziecko", "ребёнок", "дитина"]),
    (
        OnBehalfOf::Ward,
        [
            "globojamas vaikas",
            "a child in the contact's care",
            "dziecko pod opieką",
            "ребёнок под опекой",
            "дитина під опікою",
        ],
    ),
    (
        OnBehalfOf::Client,
        [
            "kontaktinio asmens tarnybos klientas",
            "a client of the contact's service",
            "klient służby osoby kontaktowej",
            "клиент службы контактного лица",
            "клієнт служби контактної особи",
        ],
    ),
    (OnBehalfOf::Group, ["grupė", "a group", "grupa", "группа", "група"]),
];

pub(super) const STEPS: [(StepKind, Words); 21] = [
    (StepKind::Received, ["gauta", "received", "przyjęto", "получена", "отримано"]),
    (StepKind::Approved, ["patvirtinta darbuotojų", "approved by staff", "zatwierdzone", "одобрена", "схвалено"]),
    (StepKind::Rejected, ["nepriimta", "not accepted", "odrzucone", "отклонена", "відхилено"]),
    (StepKind::Waitlisted, ["laukia eilėje", "waits in line", "czeka w kolejce", "ждёт в очереди", "чекає в черзі"]),
    (
        StepKind::Offered,
        ["pasiūlyta vieta", "a seat was offered", "zaproponowano miejsce", "предложено место", "запропоновано місце"],
    ),
    (
        StepKind::Confirmed,
        ["vieta gauta", "the seat is yours", "miejsce przyznane", "место получено", "місце отримано"],
    ),
    (
        StepKind::Declined,
        ["pasiūlymas atmestas", "offer declined", "oferta odrzucona", "предложение отклонено", "пропозицію відхилено"],
    ),
    (
        StepKind::OfferExpired,
        [
            "pasiūlymo laikas baigėsi",
            "the offer ran out",
            "oferta wygasła",
            "срок предложения истёк",
            "термін пропозиції минув",
        ],
    ),
    (
        StepKind::PassedOver,
        [
            "praleista: netilpo visi",
            "passed over: not all fitted",
            "pominięte: nie wszyscy się zmieścili",
            "пропущена: не все помещались",
            "пропущено: не всі вміщалися",
        ],
    ),
    (
        StepKind::ClassChanged,
        ["pakeista grupė", "class changed", "zmieniono grupę", "изменена группа", "змінено групу"],
    ),
    (
        StepKind::PartyChanged,
        [
            "pakeistas asmenų skaičius",
            "number of persons changed",
            "zmieniono liczbę osób",
            "изменено число человек",
            "змінено кількість осіб",
        ],
    ),
    (
        StepKind::DetailsChanged,
        ["duomenys pataisyti", "details corrected", "poprawiono dane", "данные исправлены", "дані виправлено"],
    ),
    (StepKind::Cancelled, ["atšaukta", "cancelled", "odwołane", "отменена", "скасовано"]),
    (
        StepKind::Transferred,
        ["perkelta į kitą renginį", "moved to another event", "przeniesione", "перенесена", "перенесено"],
    ),
    (
        StepKind::EventCancelled,
        [
            "renginys atšauktas",
            "the event was cancelled",
            "wydarzenie odwołane",
            "мероприятие отменено",
            "подію скасовано",
        ],
    ),
    (
        StepKind::DuplicateChanged,
        [
            "tikrinta, ar nesikartoja",
            "looked at as a duplicate",
            "sprawdzono duplikat",
            "проверен повтор",
            "перевірено повтор",
        ],
    ),
    (
        StepKind::DuplicateDropped,
        [
            "uždaryta kaip pasikartojanti",
            "closed as a duplicate",
            "zamknięte jako duplikat",
            "закрыта как повтор",
            "закрито як повтор",
        ],
    ),
    (
        StepKind::Erased,
        [
            "asmens duomenys ištrinti",
            "personal data erased",
            "dane osobowe usunięto",
            "личные данные удалены",
            "особисті дані видалено",
        ],
    ),
    (
        StepKind::Restricted,
        [
            "duomenų tvarkymas apribotas",
            "use of the data restricted",
            "ograniczono przetwarzanie danych",
            "обработка данных ограничена",
            "обробку даних обмежено",
        ],
    ),
    (
        StepKind::Unrestricted,
        [
            "duomenų tvarkymo apribojimas panaikintas",
            "the restriction was lifted",
            "zniesiono ograniczenie przetwarzania",
            "ограничение обработки снято",
            "обмеження обробки знято",
        ],
    ),
    (
        StepKind::ConsentsChanged,
        ["pakeisti sutikimai", "consents changed", "zmieniono zgody", "согласия изменены", "згоди змінено"],
    ),
];

pub(super) const CONSENTS: [(ConsentPurpose, Words); 4] = [
    (
        ConsentPurpose::Photos,
        ["fotografuoti ir filmuoti", "photographs and films", "zdjęcia i filmy", "фото и видео", "фото та відео"],
    ),
    (
        ConsentPurpose::News,
        [
            "naujienos apie kitus renginius",
            "news of later events",
            "wiadomości o kolejnych wydarzeniach",
            "новости о следующих мероприятиях",
            "новини про наступні події",
        ],
    ),
    (
        ConsentPurpose::Sharing,
        [
            "perduoti kitam centrui",
            "sharing with another centre",
            "przekazanie innemu ośrodkowi",
            "передача другому центру",
            "передача іншому центру",
        ],
    ),
    (
        ConsentPurpose::NextSeason,
        [
            "saugoti kontaktą kitam sezonui",
            "keeping the contact for the next season",
            "zachowanie kontaktu na następny sezon",
            "хранить контакт до следующего сезона",
            "зберігати контакт до наступного сезону",
        ],
    ),
];

pub(super) const MARKS: [(AttendanceMark, Words); 4] = [
    (AttendanceMark::Present, ["dalyvavo", "present", "obecny", "присутствовал", "присутній"]),
    (AttendanceMark::Absent, ["nedalyvavo", "absent", "nieobecny", "отсутствовал", "відсутній"]),
    (
        AttendanceMark::Excused,
        ["pateisinta", "excused", "usprawiedliwiony", "по уважительной причине", "з поважної причини"],
    ),
    (AttendanceMark::MadeUp, ["atidirbta kitur", "made up elsewhere", "odrobione", "отработано", "відпрацьовано"]),
];
