"""The script that Streamlit runs for every interaction."""

from dashboards import shell

shell.run()
