"""Series of the world whose changes are known from elsewhere; small and in the public domain."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

from pytest_workflow_monitor.analysis import Scale


class Real(NamedTuple):
    """A series, and when it is known to have changed: not before the one, not after the other."""

    instants: list[datetime]
    values: list[float]
    scale: Scale
    truth: tuple[datetime, datetime]


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def _years(first: int, count: int) -> list[datetime]:
    return [datetime(year, 1, 1, tzinfo=UTC) for year in range(first, first + count)]


_NILE = _numbers("""
1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140
1100 1210 1150 1250 1260 1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969
831 726 456 824 702 1120 1100 832 764 821 768 845 864 862 698 845 744 796 1040 759
781 865 845 944 984 897 822 1010 771 676 649 846 812 742 801 1040 860 874 848 890
744 749 838 1050 918 986 797 923 975 815 1020 906 901 1170 912 746 919 718 714 740
""")

_COAL = _numbers("""
4 5 4 1 0 4 3 4 0 6 3 3 4 0 2 6 3 3 5 4 5 3 1 4 4 1 5 5 3 4 2 5 2 2 3 4 2 1 3 2 2 1 1 1 1 3 0 0 1 0
1 1 0 0 3 1 0 3 2 2 0 1 1 1 0 1 0 1 0 0 0 2 1 0 0 0 1 1 0 2 3 3 1 1 2 1 1 1 1 2 3 3 0 0 0 1 4 0 0 0
1 0 0 0 0 0 1 0 0 1 0 1
""")

_DRIVERS = _numbers("""
1687 1508 1507 1385 1632 1511 1559 1630 1579 1653 2152 2148
1752 1765 1717 1558 1575 1520 1805 1800 1719 2008 2242 2478
2030 1655 1693 1623 1805 1746 1795 1926 1619 1992 2233 2192
2080 1768 1835 1569 1976 1853 1965 1689 1778 1976 2397 2654
2097 1963 1677 1941 2003 1813 2012 1912 2084 2080 2118 2150
1608 1503 1548 1382 1731 1798 1779 1887 2004 2077 2092 2051
1577 1356 1652 1382 1519 1421 1442 1543 1656 1561 1905 2199
1473 1655 1407 1395 1530 1309 1526 1327 1627 1748 1958 2274
1648 1401 1411 1403 1394 1520 1528 1643 1515 1685 2000 2215
1956 1462 1563 1459 1446 1622 1657 1638 1643 1683 2050 2262
1813 1445 1762 1461 1556 1431 1427 1554 1645 1653 2016 2207
1665 1361 1506 1360 1453 1522 1460 1552 1548 1827 1737 1941
1474 1458 1542 1404 1522 1385 1641 1510 1681 1938 1868 1726
1456 1445 1456 1365 1487 1558 1488 1684 1594 1850 1998 2079
1494 1057 1218 1168 1236 1076 1174 1139 1427 1487 1483 1513
1357 1165 1282 1110 1297 1185 1222 1284 1444 1575 1737 1763
""")

MONTHS = 12


def _drivers() -> Real:
    """Each month by the median of that calendar month."""
    usual = [median(_DRIVERS[month::MONTHS]) for month in range(MONTHS)]
    instants = [
        datetime(1969 + number // MONTHS, number % MONTHS + 1, 1, tzinfo=UTC)
        for number in range(len(_DRIVERS))
    ]
    values = [value / usual[number % MONTHS] for number, value in enumerate(_DRIVERS)]
    law = datetime(1983, 2, 1, tzinfo=UTC)
    return Real(instants, values, Scale.LOG, (law, law))


REAL = {
    # flow at Aswan in 10^8 m³ a year; less from the dam begun in 1898: Cobb, Biometrika 65 (1978)
    "Nile": Real(
        _years(1871, len(_NILE)),
        _NILE,
        Scale.LOG,
        (datetime(1898, 1, 1, tzinfo=UTC), datetime(1899, 1, 1, tzinfo=UTC)),
    ),
    # disasters in British coal mines with ten deaths or more a year; safer after 1887 to 1895:
    # Jarrett, Biometrika 66 (1979); Raftery and Akman, Biometrika 73 (1986)
    "coal mines": Real(
        _years(1851, len(_COAL)),
        _COAL,
        Scale.LINEAR,
        (datetime(1887, 1, 1, tzinfo=UTC), datetime(1895, 1, 1, tzinfo=UTC)),
    ),
    # drivers killed or badly hurt in Great Britain, monthly; belts were made compulsory on 31
    # January 1983: Harvey and Durbin, J. R. Statist. Soc. A 149 (1986)
    "seat belts": _drivers(),
}
