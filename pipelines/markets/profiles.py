"""What is known of companies beside their prices: name, exchange, sector and industry."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class CompanyProfile:
    """One company, in the vendor's words."""

    name: str
    exchange: str = "NYSE"
    asset_type: str = "Stock"
    sector: str = "None"
    industry: str = "None"


SAMPLE_PROFILES: Mapping[str, CompanyProfile] = MappingProxyType(
    {
        "AAPL": CompanyProfile(
            "Apple Inc", "NASDAQ", sector="TECHNOLOGY", industry="CONSUMER ELECTRONICS"
        ),
        "FB": CompanyProfile(
            "Facebook Inc",
            "NASDAQ",
            sector="COMMUNICATION SERVICES",
            industry="INTERNET CONTENT & INFORMATION",
        ),
        "GOOG": CompanyProfile(
            "Google Inc",
            "NASDAQ",
            sector="COMMUNICATION SERVICES",
            industry="INTERNET CONTENT & INFORMATION",
        ),
        "IBM": CompanyProfile(
            "International Business Machines",
            sector="TECHNOLOGY",
            industry="INFORMATION TECHNOLOGY SERVICES",
        ),
        "MSFT": CompanyProfile(
            "Microsoft Corporation",
            "NASDAQ",
            sector="TECHNOLOGY",
            industry="SOFTWARE - INFRASTRUCTURE",
        ),
    }
)
"""The five companies of the sample market."""
