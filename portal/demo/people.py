"""Invented people and companies of many countries, by number: the same number is always the same company, so that later runs add new ones.

Addresses are under `.example`, which nobody owns; Gmail knows no underscores, so the free-mail addresses are nobody's either.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from leads import normal


@dataclass(frozen=True, slots=True)
class Country:
    """What a country's people and companies are called. Names are `male/female` where they differ; `share` is out of 100."""

    code: str
    name: str
    share: int
    language: str
    dial: str
    digits: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    sectors: tuple[str, ...]
    legal: str
    cities: tuple[str, ...]

    @property
    def tag(self) -> str:
        """What keeps the domains of countries with the same words apart."""
        return {"BR": "", "US": "", "GB": "uk"}.get(self.code, self.code.lower())


def words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


SECTORS = {
    "pt-br": words("Logística, Alimentos, Engenharia, Saúde, Têxtil, Energia, Seguros, Agro, Metais, Transportes"),
    "es": words("Logística, Alimentación, Ingeniería, Salud, Textil, Energía, Seguros, Hoteles, Metales, Transporte"),
    "cs": words("Logistika, Strojírny, Pekárny, Stavby, Energie, Pojištění, Sklárny, Doprava, Papírny, Pivovary"),
    "ru": words("Логистика, Машиностроение, Энергия, Строй, Транспорт, Агро, Металл, Пищепром, Телеком, Текстиль"),
    "nl": words("Logistiek, Installatie, Techniek, Zorg, Energie, Verzekeringen, Bouw, Transport, Zuivel, Groothandel"),
    "de": words("Logistik, Maschinenbau, Technik, Pflege, Energie, Versicherung, Bau, Spedition, Werkzeuge, Brauerei"),
    "sv": words("Logistik, Mekaniska, Teknik, Vård, Energi, Försäkring, Bygg, Åkeri, Papper, Verktyg"),
    "pl": words("Logistyka, Maszyny, Technika, Zdrowie, Energia, Ubezpieczenia, Budownictwo, Transport, Meble, Piekarnie"),
    "fr": words("Logistique, Mécanique, Ingénierie, Santé, Énergie, Assurances, Bâtiment, Transports, Textile, Agro"),
    "en": words("Logistics, Foods, Engineering, Health, Energy, Insurance, Builders, Freight, Tools, Analytics"),
    "ja": words("Logistics, Seiki, Denki, Shokuhin, Kensetsu, Unyu, Kagaku, Jidosha, Tekko, Systems"),
}
BRAZIL = (
    words("João, Lucas, Pedro, Rafael, Gustavo, Thiago, Felipe, Marcelo, Ana, Beatriz, Camila, Juliana, Larissa, Fernanda, Patrícia, Letícia"),
    words("Silva, Santos, Oliveira, Souza, Pereira, Lima, Carvalho, Ferreira, Ribeiro, Almeida, Andrade, Barbosa, Rocha, Dias, Teixeira, Moura"),
)
SPAIN = (
    words("Javier, Carlos, Sergio, Álvaro, Pablo, Diego, Miguel, Andrés, Lucía, Marta, Elena, Carmen, Sofía, Paula, Irene, Nuria"),
    words("García, Fernández, López, Martínez, Sánchez, Pérez, Gómez, Ruiz, Díaz, Muñoz, Romero, Navarro, Torres, Ramos, Gil, Serrano"),
)
COUNTRIES = (
    Country("BR", "Brazil", 14, "pt-br", "+55", "119555#####", *BRAZIL, SECTORS["pt-br"], "Ltda",
            words("São Paulo, Recife, Curitiba, Campinas, Salvador, Manaus")),
    Country("US", "United States", 12, "en", "+1", "2065550###",
            words("James, Michael, Robert, David, Kevin, Brian, Jason, Eric, Jennifer, Linda, Karen, Susan, Jessica, Ashley, Megan, Rachel"),
            words("Smith, Johnson, Miller, Davis, Wilson, Anderson, Taylor, Moore, Jackson, Harris, Clark, Lewis, Walker, Young, Hill, Baker"),
            SECTORS["en"], "Inc.", words("Seattle, Denver, Austin, Boston, Chicago, Portland")),
    Country("ES", "Spain", 9, "es", "+34", "6555#####", *SPAIN, SECTORS["es"], "S.L.",
            words("Madrid, Sevilla, Bilbao, Valencia, Zaragoza, Vigo")),
    Country("CZ", "Czechia", 9, "cs", "+420", "5550#####",
            words("Jan, Petr, Tomáš, Martin, Jakub, Ondřej, Lukáš, Marek, Jana, Eva, Lucie, Tereza, Kateřina, Veronika, Markéta, Hana"),
            words("Novák/Nováková, Svoboda/Svobodová, Dvořák/Dvořáková, Černý/Černá, Procházka/Procházková, Kučera/Kučerová, Veselý/Veselá, "
                  "Horák/Horáková, Němec/Němcová, Pokorný/Pokorná, Marek/Marková, Král/Králová, Beneš/Benešová, Fiala/Fialová, Sedlák/Sedláková, "
                  "Doležal/Doležalová"),
            SECTORS["cs"], "s.r.o.", words("Praha, Brno, Ostrava, Plzeň, Liberec, Zlín")),
    Country("DE", "Germany", 9, "de", "+49", "30555#####",
            words("Thomas, Stefan, Andreas, Markus, Jens, Florian, Sebastian, Uwe, Sabine, Claudia, Anja, Katrin, Julia, Lena, Petra, Silke"),
            words("Müller, Schmidt, Schneider, Fischer, Weber, Meyer, Wagner, Becker, Schulz, Hoffmann, Koch, Richter, Klein, Wolf, Neumann, Krüger"),
            SECTORS["de"], "GmbH", words("Berlin, Hamburg, Köln, Leipzig, Stuttgart, Bremen")),
    Country("NL", "Netherlands", 8, "nl", "+31", "20555####",
            words("Daan, Sem, Bram, Jeroen, Pieter, Maarten, Thijs, Ruben, Anouk, Sanne, Lotte, Femke, Marieke, Iris, Esther, Noor"),
            words("de Jong, Jansen, de Vries, van den Berg, Bakker, van Dijk, Visser, Smit, Meijer, de Boer, Mulder, Bos, Vos, Peters, Hendriks, Dekker"),
            SECTORS["nl"], "B.V.", words("Amsterdam, Rotterdam, Utrecht, Eindhoven, Groningen, Arnhem")),
    Country("GB", "United Kingdom", 7, "en", "+44", "2079460###",
            words("Oliver, Harry, George, Jack, Simon, Neil, Graham, Adam, Emily, Charlotte, Sophie, Grace, Alice, Helen, Fiona, Claire"),
            words("Jones, Brown, Evans, Thomas, Roberts, Wright, Hughes, Green, Edwards, Wood, Turner, Cooper, Morris, Ward, Bell, Byrne"),
            SECTORS["en"], "Ltd", words("London, Leeds, Bristol, Glasgow, Cardiff, Norwich")),
    Country("RU", "Russia", 5, "ru", "+7", "495555####",
            words("Алексей, Дмитрий, Сергей, Андрей, Михаил, Павел, Иван, Николай, Анна, Елена, Ольга, Наталья, Мария, Татьяна, Ирина, Светлана"),
            words("Иванов/Иванова, Смирнов/Смирнова, Кузнецов/Кузнецова, Попов/Попова, Соколов/Соколова, Лебедев/Лебедева, Козлов/Козлова, "
                  "Новиков/Новикова, Морозов/Морозова, Волков/Волкова, Зайцев/Зайцева, Павлов/Павлова, Орлов/Орлова, Фёдоров/Фёдорова, "
                  "Белов/Белова, Громов/Громова"),
            SECTORS["ru"], "ООО", words("Москва, Казань, Пермь, Самара, Томск, Тверь")),
    Country("IN", "India", 5, "en", "+91", "8045550###",
            words("Rahul, Arjun, Vikram, Sanjay, Amit, Rohan, Karthik, Suresh, Priya, Anjali, Kavya, Neha, Divya, Meera, Pooja, Lakshmi"),
            words("Sharma, Patel, Gupta, Iyer, Reddy, Nair, Mehta, Joshi, Rao, Kulkarni, Menon, Bose, Chopra, Desai, Verma, Pillai"),
            SECTORS["en"], "Pvt Ltd", words("Pune, Bengaluru, Chennai, Mumbai, Kochi, Hyderabad")),
    Country("SE", "Sweden", 4, "sv", "+46", "85550####",
            words("Erik, Lars, Anders, Johan, Oskar, Gustav, Nils, Viktor, Anna, Karin, Elin, Ingrid, Maja, Linnea, Åsa, Malin"),
            words("Andersson, Johansson, Karlsson, Nilsson, Eriksson, Larsson, Olsson, Persson, Svensson, Gustafsson, Lindberg, Lindgren, Berg, "
                  "Sandberg, Nyström, Öberg"),
            SECTORS["sv"], "AB", words("Stockholm, Göteborg, Malmö, Uppsala, Umeå, Lund")),
    Country("PL", "Poland", 4, "pl", "+48", "22555####",
            words("Piotr, Krzysztof, Tomasz, Paweł, Marcin, Michał, Jakub, Łukasz, Anna, Katarzyna, Agnieszka, Magdalena, Joanna, Ewa, Monika, Zofia"),
            words("Nowak, Kowalski/Kowalska, Wiśniewski/Wiśniewska, Wójcik, Kamiński/Kamińska, Lewandowski/Lewandowska, Zieliński/Zielińska, "
                  "Szymański/Szymańska, Woźniak, Mazur, Krawczyk, Kaczmarek, Zając, Król, Wróbel, Pawlak"),
            SECTORS["pl"], "Sp. z o.o.", words("Warszawa, Kraków, Gdańsk, Poznań, Łódź, Wrocław")),
    Country("KZ", "Kazakhstan", 3, "ru", "+7", "727555####",
            words("Нурлан, Ерлан, Азамат, Тимур, Данияр, Руслан, Арман, Болат, Айгуль, Динара, Алия, Асель, Гульнара, Жанна, Сауле, Мадина"),
            words("Ахметов/Ахметова, Нурланов/Нурланова, Сулейменов/Сулейменова, Касымов/Касымова, Оспанов/Оспанова, Жумабаев/Жумабаева, "
                  "Ибраев/Ибраева, Абдрахманов/Абдрахманова, Искаков/Искакова, Садыков/Садыкова, Тулегенов/Тулегенова, Рахимов/Рахимова"),
            SECTORS["ru"], "ТОО", words("Алматы, Астана, Караганда, Шымкент, Актау, Павлодар")),
    Country("NG", "Nigeria", 3, "en", "+234", "1555####",
            words("Chinedu, Emeka, Tunde, Segun, Ibrahim, Femi, Uche, Musa, Ngozi, Amina, Funke, Chioma, Aisha, Yetunde, Ifeoma, Zainab"),
            words("Okafor, Adeyemi, Balogun, Eze, Nwosu, Bello, Ogunleye, Abubakar, Okonkwo, Adebayo, Chukwu, Danjuma, Lawal, Obi, Yusuf, Afolabi"),
            SECTORS["en"], "Plc", words("Lagos, Abuja, Kano, Ibadan, Enugu, Jos")),
    Country("JP", "Japan", 3, "ja", "+81", "35550####",
            words("Haruto, Kenji, Takashi, Hiroshi, Satoshi, Daiki, Ryo, Makoto, Yuki, Sakura, Aiko, Emi, Naomi, Haruka, Mika, Kaori"),
            words("Sato, Suzuki, Takahashi, Tanaka, Watanabe, Ito, Yamamoto, Nakamura, Kobayashi, Kato, Yoshida, Yamada, Sasaki, Mori, Abe, Ikeda"),
            SECTORS["ja"], "K.K.", words("Tokyo, Osaka, Nagoya, Sapporo, Fukuoka, Kyoto")),
    Country("MA", "Morocco", 2, "fr", "+212", "522555###",
            words("Youssef, Karim, Mehdi, Omar, Hamza, Rachid, Anas, Bilal, Fatima, Salma, Khadija, Nadia, Imane, Leila, Samira, Hajar"),
            words("Alaoui, Bennani, El Amrani, Idrissi, Tazi, Chraibi, Berrada, Fassi, Lahlou, Ziani, Mansouri, Cherkaoui, Bouazza, Naciri, Sefrioui, Kettani"),
            SECTORS["fr"], "SARL", words("Casablanca, Rabat, Fès, Tanger, Agadir, Oujda")),
    Country("PT", "Portugal", 2, "pt-br", "+351", "21555####", *BRAZIL, SECTORS["pt-br"], "Lda",
            words("Lisboa, Porto, Braga, Coimbra, Aveiro, Faro")),
    Country("MX", "Mexico", 1, "es", "+52", "555550####", *SPAIN, SECTORS["es"], "S.A. de C.V.",
            words("Puebla, Monterrey, Mérida, Toluca, León, Tijuana")),
)  # fmt: skip
HEADS = words("Norv, Kol, Brin, Alt, Vent, Cor, Lum, Stell, Tern, Quor, Mar, Sol, Grav, Hel, Fjord, Arb, Zen, Pol, Rad, Cirr")
TAILS = words("ika, ora, mont, era, ion, anto, ea, ix")
INVENTED = tuple(head + tail for tail in TAILS for head in HEADS)
TITLES = {
    "pt-br": words(
        "Diretor de TI, Gerente de operações, Sócia, Coordenadora de campo, Analista de sistemas, CFO, Gerente de compras, Arquiteta de soluções"
    ),
    "es": words(
        "Director general, Jefa de operaciones, Directora de TI, Coordinador de servicio, Analista, Propietario, Jefe de compras, Arquitecta"
    ),
    "cs": words("Jednatel, Ředitelka IT, Vedoucí servisu, Manažer nákupu, Specialistka, Majitel, Architekt, Mistr výroby"),
    "ru": words("Генеральный директор, Начальник отдела, Директор по ИТ, Менеджер по закупкам, Инженер, Владелец, Архитектор, Аналитик"),
    "nl": words("Directeur, Hoofd ICT, Teamleider service, Inkoper, Eigenaar, Manager operatie, Architect, Planner"),
    "fr": words("Directeur général, Responsable informatique, Chef de projet, Acheteuse, Gérant, Ingénieure, Architecte, Analyste"),
    "de": words("Geschäftsführer, Leiter IT, Serviceleiterin, Einkäufer, Managing Director, Architektin, Meister, Controllerin"),
    "en": words("CIO, VP Engineering, Head of Operations, IT Manager, Service Desk Analyst, Founder, Security Architect, Buyer, Director of IT, CTO"),
}
LATIN = words("a, b, v, g, d, e, e, zh, z, i, y, k, l, m, n, o, p, r, s, t, u, f, kh, ts, ch, sh, shch, , y, , e, yu, ya")
CYRILLIC = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", LATIN, strict=True))
# One entry per percent; spread so that every stretch of companies has all countries.
PLACES = tuple(sorted(((i + 0.5) / c.share, at) for at, c in enumerate(COUNTRIES) for i in range(c.share)))
RANKS = tuple((at, sum(other == at for _, other in PLACES[:position])) for position, (_, at) in enumerate(PLACES))


@lru_cache(50_000)
def latin(text: str) -> str:
    """Lower-case ASCII letters and digits, for addresses."""
    folded = "".join(CYRILLIC.get(letter, letter) for letter in text.casefold())
    for special, plain in (("ł", "l"), ("ø", "o"), ("ß", "ss")):
        folded = folded.replace(special, plain)
    return re.sub(r"[^a-z0-9]+", "-", normal.fold(folded)).strip("-")


@dataclass(frozen=True, slots=True)
class Firm:
    """A company that exists nowhere else."""

    country: Country
    index: int
    name: str
    domain: str

    @property
    def known_by_phone(self) -> str:
        """The number of a firm whose only contact left no address; empty for the others. Each firm has its own."""
        places = self.country.digits.count("#")
        turn, place = divmod(self.index, 50)
        return self.country.dial + self.country.digits.replace("#" * places, f"{turn:0{places}d}") if place == 7 and turn < 10**places else ""


def firm(number: int) -> Firm:
    """The company of this number; no two numbers share a name or a domain."""
    at, rank = RANKS[number % len(RANKS)]
    country = COUNTRIES[at]
    index = number // len(RANKS) * country.share + rank
    roots = country.last + INVENTED
    kinds = len(roots) * len(country.sectors)
    place, rest = divmod(index, kinds)
    # The step shares no factor with the number of names, so the names are met in no visible order and each once.
    spread = rest * step(kinds) % kinds
    root, sector = roots[spread // len(country.sectors)].partition("/")[0], country.sectors[spread % len(country.sectors)]
    turn, city = divmod(place, 1 + len(country.cities))
    name = " ".join(filter(None, (root, sector, country.cities[city - 1] if city else "", str(turn + 1) if turn else "")))
    domain = "-".join(filter(None, (latin(name), country.tag)))
    return Firm(country, index, f"{name} {country.legal}", f"{domain}.example")


@lru_cache(100)
def step(size: int) -> int:
    """A number without common factor with `size`, about 0.6 of it."""
    guess = int(size * 0.618)
    while math.gcd(guess, size) > 1:
        guess += 1
    return guess


def titles(country: Country) -> tuple[str, ...]:
    return TITLES.get(country.language, TITLES["en"])
