export const topology = 'elsewhere'
