import streamlit as st

st.title("Figures")
st.line_chart([1, 3, 2])
