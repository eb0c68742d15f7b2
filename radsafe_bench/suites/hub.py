"""Fetching the official data set from its model hub, for users who have accepted its licence."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from radsafe_bench.suites.errors import SuiteError

REPOSITORY = "soroosharasteh/RadSaFE-200"


def fetch_official(
    repository: str = REPOSITORY, revision: str | None = None, endpoint: str | None = None
) -> Path:
    """Download the data set's one CSV into the hub's local cache and return its path.

    `endpoint` is the address of a mirror, None for the hub itself. Raises SuiteError saying what to do
    when the hub cannot be reached, access is not granted, or the repository does not hold exactly one
    CSV.
    """
    hub = HfApi(endpoint=endpoint)
    try:
        info = hub.dataset_info(repository, revision=revision)
        tables = [file.rfilename for file in info.siblings or () if file.rfilename.lower().endswith(".csv")]
        if len(tables) == 1:
            return Path(hub.hf_hub_download(repository, tables[0], repo_type="dataset", revision=info.sha))
    except HfHubHTTPError as error:
        raise SuiteError(
            f"the hub refused {repository} ({type(error).__name__}): accept the data set's licence on its "
            "page, log in with `hf auth login` and try again, or download the file there and import it"
        ) from None
    except Exception as error:  # which HTTP client raises here differs between the hub library's versions
        raise SuiteError(
            f"the hub cannot be reached from here ({type(error).__name__}): download the file of "
            f"{repository} on a machine with a network and import it"
        ) from None
    raise SuiteError(f"{repository} holds {len(tables)} CSV files; download the right one and import it")
