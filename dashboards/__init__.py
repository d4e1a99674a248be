"""The dashboards: Streamlit screens over `platform_api.client` alone, in Russian and English.

Touches the outside through the browser; the only room that imports streamlit. It knows no table and no formula.
"""
